// SPDX-License-Identifier: Apache-2.0
// Forms of the residents' pages, where scripts run: a second tap sends nothing, and when the network is cut the page
// says so and keeps what was typed. Without scripts the same forms work by themselves. Written for old phones.
(function () {
  'use strict'
  if (!window.fetch || !window.FormData) return
  var says = document.body.dataset
  var tapped = null
  document.addEventListener('click', function (event) {
    var button = event.target && event.target.closest && event.target.closest('button')
    if (button) tapped = button
  })
  function noteIn(form) {
    var note = form.querySelector('.cut')
    if (!note) {
      note = document.createElement('p')
      note.className = 'cut'
      note.setAttribute('role', 'alert')
      form.insertBefore(note, form.querySelector('button'))
    }
    return note
  }
  function show(answer) {
    if (answer.redirected) {
      location.href = answer.url
      return
    }
    return answer.text().then(function (page) {
      document.open()
      document.write(page)
      document.close()
      window.scrollTo(0, 0)
    })
  }
  function send(form, button) {
    var body = new FormData(form)
    if (button && button.name) body.append(button.name, button.value)
    form.setAttribute('aria-busy', 'true')
    var note = noteIn(form)
    note.className = 'cut quiet'
    note.textContent = says.sending
    fetch(form.getAttribute('action'), { method: 'POST', body: body, credentials: 'same-origin' }).then(show).catch(function () {
      form.removeAttribute('aria-busy')
      note.className = 'cut wrong'
      note.textContent = says.cut
      note.scrollIntoView(false)
    })
  }
  document.addEventListener('submit', function (event) {
    var form = event.target
    if (!form || (form.getAttribute('method') || '').toLowerCase() !== 'post') return
    event.preventDefault()
    if (form.getAttribute('aria-busy')) return
    send(form, event.submitter || (tapped && form.contains(tapped) ? tapped : form.querySelector('button')))
  })
  // Back to a page that the browser kept: it may be sent again.
  window.addEventListener('pageshow', function () {
    var busy = document.querySelectorAll('form[aria-busy]')
    for (var n = 0; n < busy.length; n++) {
      busy[n].removeAttribute('aria-busy')
      noteIn(busy[n]).textContent = ''
    }
  })
})()
