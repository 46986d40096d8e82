// SPDX-License-Identifier: Apache-2.0
/** One page as a picture: the figures, the map, the parts; what it holds is counts, never a person or a door. */
import { formatFull, formatShare, formatShort, language, sentence, term } from '@muster/ui'
import type { Part } from './board'
import { figureOf, FIGURES, missingIn, neverIn } from './figures'
import type { Row } from './shapes'

export interface Report {
  place: string
  round: string
  row: Row
  stale: number
  asOf: string | null
  map: string | null
  parts: readonly Part[]
  isDrill: boolean
}

const WIDTH = 1080
const HEIGHT = 1520
const EDGE = 56
const MOST_PARTS = 10
const NOUNS = { roster: 'expected', done: 'entry_class_done', missing: 'still_missing', arranged: 'entry_class_arranged', added: 'found_person' } as const

export async function saveReport(report: Report): Promise<void> {
  const canvas = document.createElement('canvas')
  canvas.width = WIDTH
  canvas.height = HEIGHT
  const pen = canvas.getContext('2d')
  if (!pen) return
  pen.fillStyle = '#ffffff'
  pen.fillRect(0, 0, WIDTH, HEIGHT)
  drawHead(pen, report)
  drawFigures(pen, report)
  await drawMap(pen, report.map)
  drawParts(pen, report)
  if (report.isDrill) drawMark(pen)
  const link = document.createElement('a')
  link.href = canvas.toDataURL('image/png')
  link.download = `${report.place || 'report'}.png`
  link.click()
}

function write(pen: CanvasRenderingContext2D, text: string, x: number, y: number, size: number, colour = '#1d2129', weight = 400): void {
  pen.fillStyle = colour
  pen.font = `${weight} ${size}px "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif`
  pen.fillText(text, x, y)
}

function drawHead(pen: CanvasRenderingContext2D, report: Report): void {
  write(pen, report.place, EDGE, 92, 44, '#1d2129', 600)
  write(pen, report.round, EDGE, 136, 26, '#4e5969')
  const moment = report.asOf ? formatFull(report.asOf, language.value) : ''
  write(pen, sentence('as_of', { moment }), EDGE, 174, 24, '#4e5969')
}

function drawFigures(pen: CanvasRenderingContext2D, { row, stale }: Report): void {
  const step = (WIDTH - 2 * EDGE) / FIGURES.length
  FIGURES.forEach((key, index) => {
    const x = EDGE + index * step
    write(pen, term(NOUNS[key]), x, 236, 22, '#4e5969')
    write(pen, formatShort(figureOf(row, key), language.value), x, 286, 42, key === 'missing' ? '#d9480f' : '#1d2129', 600)
  })
  const never = sentence('report_never', { never: neverIn(row), doors: row.doors, share: formatShare(neverIn(row), row.doors, language.value), stale })
  write(pen, never, EDGE, 336, 24, '#94500a')
}

async function drawMap(pen: CanvasRenderingContext2D, source: string | null): Promise<void> {
  if (!source) return
  const image = new Image()
  image.src = source
  await image.decode()
  const width = WIDTH - 2 * EDGE
  const height = 640
  const scale = Math.max(width / image.width, height / image.height)
  const [cutWidth, cutHeight] = [width / scale, height / scale]
  pen.drawImage(image, (image.width - cutWidth) / 2, (image.height - cutHeight) / 2, cutWidth, cutHeight, EDGE, 368, width, height)
}

function drawParts(pen: CanvasRenderingContext2D, { parts }: Report): void {
  parts.slice(0, MOST_PARTS).forEach((part, index) => {
    const x = EDGE + (index % 2) * ((WIDTH - 2 * EDGE) / 2)
    const y = 1068 + Math.floor(index / 2) * 64
    write(pen, part.name, x, y, 24)
    const share = formatShare(part.row.roster - missingIn(part.row), part.row.roster, language.value)
    write(pen, sentence('report_part', { share, missing: missingIn(part.row) }), x, y + 28, 20, '#4e5969')
  })
  if (parts.length > MOST_PARTS) write(pen, sentence('report_more', { more: parts.length - MOST_PARTS }), EDGE, 1410, 20, '#4e5969')
  write(pen, sentence('report_limits'), EDGE, 1464, 20, '#4e5969')
}

function drawMark(pen: CanvasRenderingContext2D): void {
  pen.save()
  pen.globalAlpha = 0.1
  pen.translate(WIDTH / 2, HEIGHT / 2)
  pen.rotate(-Math.PI / 6)
  pen.textAlign = 'center'
  for (const row of [-480, -160, 160, 480]) write(pen, sentence('drill_mark'), 0, row, 96)
  pen.restore()
}
