// SPDX-License-Identifier: Apache-2.0
// Refusals that a phone can meet: what the front door answers to a batch, and what is wrong with a typed phone number.
export const PHONE_MESSAGES = [
  'body_not_json',
  'body_too_deep',
  'body_cut',
  'body_late',
  'body_too_large',
  'batch_too_long',
  'encoding_unknown',
  'encoding_bad',
  'envelope_bad',
  'envelope_version_unknown',
  'lease_missing',
  'lease_unknown',
  'incident_destroyed',
  'phone_rounded',
  'phone_two_numbers',
  'phone_no_area_code',
  'phone_shape',
] as const
