// SPDX-License-Identifier: Apache-2.0
// Where I live, on a small map: nothing is asked for before the button is pressed, and the form does without it.
// A tap means the nearest house, else the point itself; keys and a list of houses do the same. For old phones.
(function () {
  'use strict'
  var box = document.getElementById('pick')
  if (!box || !window.fetch || !window.PointerEvent) return
  var NS = 'http://www.w3.org/2000/svg'
  var says = box.dataset
  var spot = document.getElementById('spot')
  var community = document.getElementById('community')
  var opener = box.querySelector('button')
  var frame, svg, status, list, hint, shown, view, drawn, middle, fingers = {}, from, pinch

  function make(name, into, set, text) {
    var one = /^(svg|g|path|circle|text)$/.test(name) ? document.createElementNS(NS, name) : document.createElement(name)
    for (var key in set || {}) one.setAttribute(key, set[key])
    if (text) one.textContent = text
    if (into) into.appendChild(one)
    return one
  }
  function button(words, label, act) {
    var one = make('button', null, { type: 'button', 'aria-label': label || words }, words)
    one.addEventListener('click', act)
    return one
  }
  // Metres east and south of the middle of what is shown.
  function flat(lon, lat) {
    return [(lon - middle[0]) * 111320 * Math.cos(middle[1] * Math.PI / 180), (middle[1] - lat) * 111320]
  }
  function round(x, y) {
    return [middle[0] + x / (111320 * Math.cos(middle[1] * Math.PI / 180)), middle[1] - y / 111320]
  }
  function trace(points, end) {
    return 'M' + points.map(function (p) { return flat(p[0], p[1]).map(function (m) { return m.toFixed(1) }).join(' ') }).join('L') + (end || '')
  }
  function look() {
    var w = (svg.clientWidth || 320) * view.scale, h = (svg.clientHeight || 320) * view.scale
    svg.setAttribute('viewBox', [view.x - w / 2, view.y - h / 2, w, h].join(' '))
    drawn.names.textContent = ''
    var put = []
    shown.forEach(function (one) {
      var far = Math.abs(one.x - view.x) > w / 2 || Math.abs(one.y - view.y) > h / 2
      if (one.mark) one.mark.setAttribute('r', 5 * view.scale)
      if (far || (one.house && view.scale > 0.6)) return
      // A name that would lie on another one is left out until there is room for it.
      var half = width(one.name) * view.scale / 2, high = 14 * view.scale
      if (put.some(function (other) { return Math.abs(other.x - one.x) < other.half + half && Math.abs(other.y - one.y) < high })) return
      put.push({ x: one.x, y: one.y, half: half })
      make('text', drawn.names, { x: one.x, y: one.y - (one.mark ? 7 : -4) * view.scale, 'font-size': 12 * view.scale }, one.name)
    })
    drawn.cross.setAttribute('d', 'M' + (view.x - 12 * view.scale) + ' ' + view.y + 'h' + 24 * view.scale + 'M' + view.x + ' ' + (view.y - 12 * view.scale) + 'v' + 24 * view.scale)
    if (drawn.pin) drawn.pin.setAttribute('r', 8 * view.scale)
  }
  function width(name) {
    return name.replace(/[^\u0000-\u00ff]/g, 'ww').length * 6.5
  }
  function fit() {
    var xs = shown.map(function (o) { return o.x }), ys = shown.map(function (o) { return o.y })
    var w = Math.max.apply(null, xs) - Math.min.apply(null, xs) + 60, h = Math.max.apply(null, ys) - Math.min.apply(null, ys) + 60
    view = { x: (Math.max.apply(null, xs) + Math.min.apply(null, xs)) / 2, y: (Math.max.apply(null, ys) + Math.min.apply(null, ys)) / 2 }
    // Names of communities reach beyond their points.
    var beside = shown[0].house ? 0 : 120
    view.scale = view.widest = Math.max(w / ((svg.clientWidth || 320) - beside), h / ((svg.clientHeight || 320) - beside / 2), 0.2)
    look()
  }
  function zoom(by) {
    view.scale = Math.max(0.1, Math.min(view.widest * 2, view.scale * by))
    look()
  }
  function begin(points) {
    svg.textContent = ''
    drawn = {}
    middle = points.length ? [points[0][0], points[0][1]] : [0, 0]
    ;['lines', 'houses', 'marks', 'names'].forEach(function (name) { drawn[name] = make('g', svg, { 'class': name }) })
    drawn.cross = make('path', svg, { 'class': 'cross' })
    list.parentNode.hidden = true
    while (list.options.length > 1) list.remove(1)
  }
  function drawCommunities(told) {
    begin(told.communities.map(function (c) { return [c[3], c[4]] }))
    hint.textContent = says.area
    shown = told.communities.map(function (c) {
      var at = flat(c[3], c[4])
      return { id: c[0], name: says.lang === 'en' ? c[2] : c[1], x: at[0], y: at[1], mark: make('circle', drawn.marks, { cx: at[0], cy: at[1], r: 5 }) }
    })
    if (shown.length) fit()
  }
  function drawHouses(told) {
    begin(told.houses.map(function (h) { return [h[1], h[2]] }))
    hint.textContent = says.hint
    told.lines.forEach(function (one) { make('path', drawn.lines, { d: trace(one) }) })
    shown = told.houses.map(function (h, number) {
      var at = flat(h[1], h[2]), one = { house: true, name: h[0], x: at[0], y: at[1], lon: h[1], lat: h[2] }
      if (h[3].length) make('path', drawn.houses, { d: trace(h[3], 'Z') })
      else one.mark = make('circle', drawn.marks, { cx: at[0], cy: at[1], r: 5 })
      make('option', list, { value: number }, h[0])
      return one
    })
    list.parentNode.hidden = !shown.length
    if (!shown.length) hint.textContent = says.cut
    else fit()
    again()
  }
  // What was chosen before stays marked when the page comes back with a mistake.
  function again() {
    var kept = spot.value.split(',')
    if (kept.length !== 2 || !shown.length) return
    var at = flat(Number(kept[0]), Number(kept[1])), one = nearest(at[0], at[1], 1)
    if (one) list.value = String(shown.indexOf(one))
    pin(at[0], at[1], one && one.house ? one.name : says.point)
  }
  function load() {
    var chosen = community.value
    if (!frame || frame.hidden) return
    svg.setAttribute('aria-busy', 'true')
    fetch('/help/map' + (chosen ? '?community=' + encodeURIComponent(chosen) : '')).then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status))
      return answer.json()
    }).then(function (told) {
      svg.removeAttribute('aria-busy')
      if (chosen === community.value) (told.houses ? drawHouses : drawCommunities)(told)
    }).catch(function () {
      svg.removeAttribute('aria-busy')
      status.textContent = says.cut
    })
  }
  function nearest(x, y, within) {
    var best = null, least = within
    shown.forEach(function (one) {
      var off = Math.sqrt((one.x - x) * (one.x - x) + (one.y - y) * (one.y - y))
      if (off <= least) { least = off; best = one }
    })
    return best
  }
  function pin(x, y, name) {
    if (!drawn.pin) drawn.pin = make('circle', svg, { 'class': 'pin' })
    drawn.pin.setAttribute('cx', x)
    drawn.pin.setAttribute('cy', y)
    drawn.pin.setAttribute('r', 8 * view.scale)
    status.textContent = says.chosen + name
    box.querySelector('.clear').hidden = false
  }
  function choose(x, y) {
    var one = nearest(x, y, Math.max(30, 24 * view.scale))
    if (!shown.length) return
    if (one && one.id) return enter(one)
    if (!shown[0].house) return
    if (one) take(one)
    else {
      var at = round(x, y)
      spot.value = at[0].toFixed(6) + ',' + at[1].toFixed(6)
      list.value = ''
      pin(x, y, says.point)
    }
  }
  function take(one) {
    spot.value = one.lon + ',' + one.lat
    list.value = String(shown.indexOf(one))
    pin(one.x, one.y, one.name)
  }
  function enter(one) {
    community.value = String(one.id)
    if (community.value !== String(one.id)) {
      make('option', community, { value: one.id }, one.name)
      community.value = String(one.id)
    }
    status.textContent = one.name
    load()
  }
  function clear() {
    spot.value = ''
    status.textContent = ''
    if (drawn && drawn.pin) { drawn.pin.parentNode.removeChild(drawn.pin); drawn.pin = null }
    if (list) list.value = ''
    var one = box.querySelector('.clear')
    if (one) one.hidden = true
  }
  function metres(event) {
    var edge = svg.getBoundingClientRect()
    return [view.x + (event.clientX - edge.left - edge.width / 2) * view.scale, view.y + (event.clientY - edge.top - edge.height / 2) * view.scale]
  }
  function apart() {
    var two = Object.keys(fingers).map(function (id) { return fingers[id] })
    return two.length < 2 ? 0 : Math.sqrt(Math.pow(two[0].clientX - two[1].clientX, 2) + Math.pow(two[0].clientY - two[1].clientY, 2))
  }
  function hands() {
    svg.addEventListener('pointerdown', function (event) {
      if (!view) return
      fingers[event.pointerId] = event
      svg.setPointerCapture(event.pointerId)
      from = { x: event.clientX, y: event.clientY, at: view.x, and: view.y, moved: Object.keys(fingers).length > 1 }
      pinch = apart() ? { off: apart(), scale: view.scale } : null
    })
    svg.addEventListener('pointermove', function (event) {
      if (!fingers[event.pointerId] || !from) return
      fingers[event.pointerId] = event
      if (pinch) {
        view.scale = Math.max(0.1, Math.min(view.widest * 2, pinch.scale * pinch.off / Math.max(1, apart())))
        return look()
      }
      var x = event.clientX - from.x, y = event.clientY - from.y
      if (Math.abs(x) + Math.abs(y) > 8) from.moved = true
      if (!from.moved) return
      view.x = from.at - x * view.scale
      view.y = from.and - y * view.scale
      look()
    })
    ;['pointerup', 'pointercancel'].forEach(function (name) {
      svg.addEventListener(name, function (event) {
        var tap = name === 'pointerup' && from && !from.moved && fingers[event.pointerId]
        delete fingers[event.pointerId]
        pinch = null
        if (Object.keys(fingers).length === 0) from = null
        else if (from) from.moved = true
        if (tap) { var at = metres(event); choose(at[0], at[1]) }
      })
    })
    svg.addEventListener('keydown', function (event) {
      var step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
      if (!view || event.ctrlKey || event.altKey || event.metaKey) return
      if (step) { view.x += step[0] * 30 * view.scale; view.y += step[1] * 30 * view.scale; look() }
      else if (event.key === '+' || event.key === '=') zoom(0.7)
      else if (event.key === '-') zoom(1.4)
      else if (event.key === 'Enter' || event.key === ' ') choose(view.x, view.y)
      else return
      event.preventDefault()
    })
  }
  function build() {
    frame = make('div', box, { 'class': 'frame' })
    hint = make('small', frame, { id: 'pick-hint' })
    svg = make('svg', frame, { tabindex: '0', role: 'application', 'aria-label': says.name, 'aria-describedby': 'pick-hint' })
    var row = make('div', frame, { 'class': 'row' })
    row.appendChild(button('+', says['in'], function () { if (view) zoom(0.7) }))
    row.appendChild(button('\u2212', says.out, function () { if (view) zoom(1.4) }))
    row.appendChild(button(says.back, '', function () { clear(); community.value = ''; load() }))
    var label = make('label', frame, { 'class': 'above' }, says.list)
    list = make('select', label)
    make('option', list, { value: '' }, '\u2014')
    list.addEventListener('change', function () { if (list.value) take(shown[Number(list.value)]) })
    status = make('p', box, { role: 'status', 'class': 'chosen' })
    var off = button(says.clear, '', clear)
    off.className = 'plain clear'
    off.hidden = true
    box.appendChild(off)
    community.addEventListener('change', function () { clear(); load() })
    hands()
  }
  opener.hidden = false
  opener.setAttribute('aria-expanded', 'false')
  opener.addEventListener('click', function () {
    if (!frame) build()
    else frame.hidden = !frame.hidden
    opener.setAttribute('aria-expanded', String(!frame.hidden))
    if (!frame.hidden) load()
  })
  if (spot.value) opener.click()
})()
