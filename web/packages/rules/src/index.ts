// SPDX-License-Identifier: Apache-2.0
/** Rules that a phone decides by without the server: the same readings and the same settling, tested on the same vectors. */
export * from './kinds'
export * from './names'
export * from './phones'
export * from './rooms'
export * from './settling'
export { fold, identifier, isBlank, readNumber } from './writing'
