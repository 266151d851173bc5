"""What is wrong with the labels of a page, as it is seen."""

# What is wrong with the labels that are seen: [what, text, other text].
FAULTS = """() => {
  const faults = [], main = document.querySelector('[data-testid=stMain]')
  const seen = box => box.width > 1 && box.height > 1
  const short = element => element.textContent.trim().slice(0, 60)
  for (const part of [main, document.documentElement])
    if (part.scrollWidth > part.clientWidth + 1)
      faults.push(['scrolls sideways', `${part.scrollWidth} > ${part.clientWidth}`, ''])
  for (const element of main.querySelectorAll('h1, h2, h3, h4, p, th, td, li, label, figcaption')) {
    const box = element.getBoundingClientRect()
    if (!seen(box) || element.closest('[aria-hidden=true], .js-plotly-plot, [hidden]')) continue
    const hides = getComputedStyle(element).overflowX !== 'visible'
    if (hides && element.scrollWidth > element.clientWidth + 1)
      faults.push(['is cut', short(element), ''])
  }
  for (const plot of main.querySelectorAll('.js-plotly-plot')) {
    const frame = plot.getBoundingClientRect()
    const labels = [...plot.querySelectorAll('.main-svg text')]
      .filter(text => text.textContent.trim())
      .map(text => [text, text.getBoundingClientRect()])
      .filter(([, box]) => seen(box))
    labels.forEach(([text, a], place) => {
      if (a.left < frame.left - 2 || a.right > frame.right + 2 || a.bottom > frame.bottom + 2)
        faults.push(['is cut', short(text), ''])
      for (const [other, b] of labels.slice(place + 1)) {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left)
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
        if (across > 2 && down > 4) faults.push(['lies over', short(text), short(other)])
      }
    })
  }
  const levels = [...main.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => +h.tagName[1])
  levels.forEach((level, place) => {
    if (place && level > levels[place - 1] + 1) faults.push(['jumps', `h${levels[place - 1]}`,
      `h${level}`])
  })
  return faults
}"""
