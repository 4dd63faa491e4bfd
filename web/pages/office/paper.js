// paper.js sends one paper form as one person read it; what the other one read is never shown here.
import { api, toast } from '../../act.js'

const form = document.querySelector('form[data-paper]')
const [abstain, unknown] = [...document.querySelectorAll('#words option')].map(one => one.value)
const words = { [abstain]: 'abstain', [unknown]: 'dont_know' }

form?.addEventListener('submit', async event => {
  event.preventDefault()
  const marks = {}
  const recused = []
  for (const row of form.querySelectorAll('[data-subject]')) {
    if (row.querySelector('[data-recused]').checked) recused.push(row.dataset.subject)
    for (const cell of row.querySelectorAll('[data-dimension]')) {
      const value = cell.value.trim()
      if (value) (marks[row.dataset.subject] ||= {})[cell.dataset.dimension] = words[value] || value
    }
  }
  const button = form.querySelector('button')
  button.setAttribute('aria-busy', 'true')
  const answer = await api('PUT', form.dataset.paper + form.elements.form.value, { marks, recused })
    .catch(() => ({ error: { message: document.body.dataset.offline } }))
  button.removeAttribute('aria-busy')
  if (!answer.ok) return toast(answer.error?.message || String(answer.status), true)
  toast({ once: form.dataset.doneOnce, counted: form.dataset.doneCounted, differs: form.dataset.doneDiffers }[answer.status] || form.dataset.doneOnce, answer.status === 'differs')
  if (answer.status !== 'differs') form.reset()
  form.elements.form.focus()
})
