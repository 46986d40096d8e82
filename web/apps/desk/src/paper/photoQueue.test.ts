// SPDX-License-Identifier: Apache-2.0
import { ProblemError } from '@muster/ui'
import { expect, test, vi } from 'vitest'
import { photoQueue, type Means } from './photoQueue'

const A_PHOTO = new Blob(['photo'])
const problem = (status: number, code: string): ProblemError => new ProblemError({ status, code })

function queueWith(send: Means['send']): ReturnType<typeof photoQueue> & { pauses: number[] } {
  const pauses: number[] = []
  const pause = async (seconds: number): Promise<void> => void pauses.push(seconds)
  return Object.assign(photoQueue({ send, pause, show: () => 'blob:x', forget: () => undefined }), { pauses })
}

test('photos go up one at a time, in their order', async () => {
  let open = 0
  const most: number[] = []
  const queue = queueWith(async () => {
    most.push(++open)
    await Promise.resolve()
    open -= 1
    return { sha256: `name${most.length}` }
  })

  queue.add('A', A_PHOTO, '')
  queue.add('A', A_PHOTO, '')

  await vi.waitFor(() => expect(queue.unsent()).toBe(0))
  expect(most).toEqual([1, 1])
  expect(queue.photos.map((photo) => photo.name)).toEqual(['name1', 'name2'])
})

test('without a network and with a busy house it comes again, later each time', async () => {
  const send = vi.fn<Means['send']>().mockRejectedValueOnce(new TypeError('no network')).mockRejectedValueOnce(problem(503, 'pictures_busy')).mockResolvedValue({ sha256: 'n' })
  const queue = queueWith(send)

  queue.add('A', A_PHOTO, '')

  await vi.waitFor(() => expect(queue.photos[0]?.state).toBe('kept'))
  expect(queue.pauses).toEqual([5, 10])
})

test('what is refused by its content is told and holds up nobody behind it', async () => {
  const queue = queueWith(vi.fn<Means['send']>().mockRejectedValueOnce(problem(422, 'picture_unreadable')).mockResolvedValue({ sha256: 'n' }))

  queue.add('A', A_PHOTO, '')
  queue.add('A', A_PHOTO, '')

  await vi.waitFor(() => expect(queue.photos.map((photo) => photo.state)).toEqual(['refused', 'kept']))
})

test('a photo on its way when the paper is handed in is given to its return', async () => {
  const told: string[] = []
  let arrive: () => void = () => undefined
  const queue = queueWith(async (_code, _small, back) => {
    told.push(back)
    if (told.length === 1) await new Promise<void>((done) => (arrive = done))
    return { sha256: 'n' }
  })
  queue.add('A', A_PHOTO, '')

  queue.handIn('A', 'return-1')
  arrive()

  await vi.waitFor(() => expect(queue.photos[0]?.state).toBe('kept'))
  expect(told).toEqual(['', 'return-1'])
})

test('photos of other papers stay where they are when one is handed in', async () => {
  const queue = queueWith(async () => ({ sha256: 'n' }))
  queue.add('A', A_PHOTO, '')
  queue.add('B', A_PHOTO, '')
  await vi.waitFor(() => expect(queue.unsent()).toBe(0))

  queue.handIn('A', 'return-1')

  expect(queue.photos.map((photo) => photo.code)).toEqual(['B'])
})
