// SPDX-License-Identifier: Apache-2.0
// Runs in any browser, however old: below the support floor it shows how to go on instead of a blank page.
(function () {
  var old = !('noModule' in document.createElement('script')) || !window.indexedDB || !window.Promise ||
    !Promise.prototype.finally || !window.AbortController || !Array.prototype.flatMap || !window.TextEncoder
  var open = window.isSecureContext === false || !(window.crypto && window.crypto.subtle)
  if (!old && !open) return
  document.documentElement.setAttribute('data-floor', old ? 'old' : 'insecure')
  document.addEventListener('DOMContentLoaded', function () {
    document.getElementById(old ? 'floor' : 'insecure').removeAttribute('hidden')
  })
})()
