// SPDX-License-Identifier: Apache-2.0
/** The version of this build: a hash over what it was made of. */
declare const __MUSTER_VERSION__: string
