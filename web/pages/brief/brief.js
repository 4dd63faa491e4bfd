// brief.js: after an act the page is what the server now shows; a refusal leaves it as it is.
document.addEventListener('pingyi:answer', event => { if (event.detail.ok) location.reload() })
