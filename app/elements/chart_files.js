// Saves a chart of the page as a file. Plotly itself draws it: it is asked by the button of its own
// tool bar, which is there and not shown.

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = () => save(data, button.dataset.format);
  }
}

function save({ place, name }, format) {
  const chart = document.querySelector(`.${place} .js-plotly-plot`);
  chart._context.toImageButtonOptions = { format, filename: name, scale: format === "png" ? 2 : 1 };
  chart.querySelector(".modebar-btn").click();
}
