// SPDX-License-Identifier: Apache-2.0
document.querySelector('[data-print]').addEventListener('click', () => window.print())
