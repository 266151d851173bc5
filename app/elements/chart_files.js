// Saves a chart of the page as a file, for paper and slides: light, with a title, and with nothing
// cut. Plotly itself draws it: it is asked by the button of its own tool bar, which is there and not
// shown. It copies what the chart holds at once, so that is exchanged for the moment of the click.

const WIDTH = 1000; // px at least
const MARGIN = 24;
const LETTER = 8; // px, of the font below
const HEADING = 18; // px, of letters
const ABOUT = 13;
const LINE = 24;
const WIDEST = 0.65; // of a letter's size, bold, on average
// One of the reader's own: a picture does not have the page's font, and letters of another width
// than those that were measured are cut.
const FAMILY = "Arial, Helvetica, sans-serif";
const INK = "#1F2933";
const GRID = "#E1E5EA";

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.textContent = data.buttons[button.dataset.format];
    button.onclick = () => save(data, button.dataset.format);
  }
}

function save(data, format) {
  const chart = document.querySelector(`.${data.place} .js-plotly-plot`);
  const shown = { data: chart.data, layout: chart.layout, options: chart._context.toImageButtonOptions };
  const width = Math.max(WIDTH, chart.clientWidth);
  const layout = settled(exchanged(chart.layout, data.colours), data, width, chart.clientHeight);
  chart.data = exchanged(chart.data, data.colours);
  chart.layout = layout;
  chart._context.toImageButtonOptions = {
    format, filename: data.name, scale: format === "png" ? 2 : 1, width, height: layout.height,
  };
  try {
    chart.querySelector(".modebar-btn").click();
  } finally {
    chart.data = shown.data;
    chart.layout = shown.layout;
    chart._context.toImageButtonOptions = shown.options;
  }
}

// A copy with other colours and letters; typed arrays hold numbers and stay.
function exchanged(value, colours, key) {
  if (key === "family") return FAMILY;
  if (typeof value === "string") return colours[value.toUpperCase()] ?? value;
  if (Array.isArray(value)) return value.map((item) => exchanged(item, colours));
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, exchanged(v, colours, k)]));
}

function settled(layout, data, width, tall) {
  const full = layout.meta?.labels ?? {};
  const room = Math.max(0, ...Object.values(full).map((label) => LETTER * label.length));
  const own = text(layout.title);
  const head = lines(data.heading, HEADING, width);
  const about = [...data.about, own].filter(Boolean).flatMap((line) => lines(line, ABOUT, width));
  const above = 1.5 * MARGIN + (head.length + about.length) * LINE;
  const margin = layout.margin ?? {};
  const top = own ? MARGIN : (margin.t ?? MARGIN);
  const height = (layout.height ?? tall) - (margin.t ?? 0) + top + above + MARGIN;
  const axes = Object.entries(layout).filter(([name]) => /^[xy]axis\d*$/.test(name));
  return {
    ...layout,
    ...Object.fromEntries(axes.map(([name, axis]) => [name, legible(axis, full)])),
    annotations: (layout.annotations ?? []).map((note) => named(note, full)),
    title: title(head, about),
    template: light(layout.template ?? {}),
    font: { ...layout.font, family: FAMILY },
    paper_bgcolor: "#FFFFFF",
    plot_bgcolor: "#FFFFFF",
    autosize: false,
    width,
    height,
    margin: {
      ...margin,
      t: top + above,
      b: (margin.b ?? 0) + MARGIN,
      l: (margin.l ?? 0) + MARGIN,
      r: Math.max(margin.r ?? 0, room) + MARGIN,
    },
  };
}

function text(title) {
  const words = typeof title === "string" ? title : title?.text;
  return words?.replaceAll("<br>", ", ").replace(/<[^>]*>/g, "") ?? "";
}

// Lines that fit, broken at spaces.
function lines(sentence, size, width) {
  const letters = Math.floor((width - 2 * MARGIN) / (WIDEST * size));
  const broken = [""];
  for (const word of sentence.split(" ")) {
    const last = broken.at(-1);
    if (last && last.length + word.length + 1 > letters) broken.push(word);
    else broken[broken.length - 1] = last ? `${last} ${word}` : word;
  }
  return broken;
}

function title(head, about) {
  const small = about.map((line) => `<span style="font-size:${ABOUT}px">${line}</span>`);
  return {
    text: [...head.map((line) => `<b>${line}</b>`), ...small].join("<br>"),
    font: { size: HEADING, color: INK },
    xref: "container", x: 0, xanchor: "left",
    yref: "container", y: 1, yanchor: "top",
    pad: { l: MARGIN, t: MARGIN },
  };
}

function legible(axis, full) {
  const ticks = axis.ticktext?.map?.((label) => full[label] ?? label);
  return { ...axis, automargin: true, ...(ticks && { ticktext: ticks }) };
}

function named(note, full) {
  return full[note.text] === undefined ? note : { ...note, text: full[note.text] };
}

// The page's theme, on white.
function light(template) {
  const ink = { font: { color: INK } };
  const axis = { gridcolor: GRID, zerolinecolor: GRID, tickcolor: GRID, tickfont: { color: INK } };
  const layout = template.layout ?? {};
  const onWhite = (before = {}) => ({
    ...before, ...axis, title: { ...before.title, font: { ...before.title?.font, color: INK } },
  });
  return {
    ...template,
    layout: {
      ...layout, font: { ...layout.font, color: INK }, legend: { ...layout.legend, ...ink },
      xaxis: onWhite(layout.xaxis), yaxis: onWhite(layout.yaxis),
    },
  };
}
