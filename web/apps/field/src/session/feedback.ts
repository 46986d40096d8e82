// SPDX-License-Identifier: Apache-2.0
/** For gloves and rain: a short buzz and tone says that it is kept; a long low one that it is not. */

let context: AudioContext | null = null

export type Feedback = 'kept' | 'failed'

export function give(feedback: Feedback, enabled: boolean): void {
  if (!enabled) return
  // Absent on iPhones: there the sound alone must do.
  if ('vibrate' in navigator) navigator.vibrate(feedback === 'kept' ? 30 : [80, 60, 160])
  try {
    tone(feedback)
  } catch {
    // A page may make no sound before the first touch; the record is kept all the same.
  }
}

function tone(feedback: Feedback): void {
  context ??= new AudioContext()
  const at = context.currentTime
  const gain = context.createGain()
  const voice = context.createOscillator()
  voice.frequency.value = feedback === 'kept' ? 880 : 220
  gain.gain.setValueAtTime(0.05, at)
  gain.gain.exponentialRampToValueAtTime(0.0001, at + (feedback === 'kept' ? 0.12 : 0.4))
  voice.connect(gain)
  gain.connect(context.destination)
  voice.start(at)
  voice.stop(at + 0.5)
}
