// wipe.js: what a shared tablet forgets between two people: marks, receipts, requests, the page it kept,
// and who was signed in.

import { forgetPage } from '../panel/offline.js'

const { slug } = document.body.dataset

export async function wipe () {
  for (const shelf of [localStorage, sessionStorage]) {
    try { for (const name of Object.keys(shelf)) if (name.startsWith('pingyi-') && name.split(':')[1] === slug) shelf.removeItem(name) } catch { /* no storage */ }
  }
  await forgetPage().catch(() => {})
}
// True once nobody is signed in here any more.
export async function signOut () {
  try { return (await fetch(`/h/${slug}/kiosk/end`, { method: 'POST' })).ok } catch { return false }
}
