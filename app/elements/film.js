// An attack, step by step. Every frame is here, so that the slider never waits for the server.

const PLAY = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 2l10 6-10 6z"/></svg>';
const PAUSE = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h4v12H3zM9 2h4v12H9z"/></svg>';
const FRAME_MS = 450;
const LAST_MS = 1500;
const SVG = "http://www.w3.org/2000/svg";

export default function ({ data, parentElement }) {
  const film = (parentElement.film ??= new Film(parentElement));
  film.update(data);
  return () => film.pause();
}

class Film {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.slider = this.find(".slider");
    this.play = this.find(".play");
    this.play.innerHTML = PLAY;
    this.slider.addEventListener("input", () => {
      this.pause();
      this.show();
    });
    this.play.addEventListener("click", () => (this.timer ? this.pause() : this.start()));
  }

  update(data) {
    if (this.data?.key === data.key) return;
    this.data = data;
    this.pause();
    this.slider.setAttribute("aria-label", data.words.step);
    this.frames = data.frames.map((frame) => frame.pictures.map(load));
    this.slider.max = data.frames.length - 1;
    this.slider.value = data.opens_at;
    this.canvases = data.captions.map((caption, place) => canvas(caption, place === data.exact));
    this.find(".pictures").replaceChildren(...this.canvases.map((one) => one.parentNode));
    this.panels = data.branches.map((branch, place) => panel(data, branch, place));
    this.find(".branches").replaceChildren(...this.panels.map((one) => one.element));
    this.show();
  }

  start() {
    if (this.place === this.data.frames.length - 1) this.slider.value = 0;
    this.label(this.data.words.pause, PAUSE);
    this.show();
    const next = () => {
      this.slider.value = (this.place + 1) % this.data.frames.length;
      this.show();
      const last = this.place === this.data.frames.length - 1;
      this.timer = setTimeout(next, last ? LAST_MS : FRAME_MS);
    };
    this.timer = setTimeout(next, FRAME_MS);
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.label(this.data.words.play, PLAY);
  }

  label(name, icon) {
    this.play.setAttribute("aria-label", name);
    this.play.innerHTML = icon;
  }

  get place() {
    return Number(this.slider.value);
  }

  show() {
    const { frames, branches, words } = this.data;
    const place = this.place;
    const frame = frames[place];
    this.find(".title").textContent = frame.title;
    const answers = branches.map((branch, at) =>
      filled(words.says, { branch: branch.name, answer: frame.answers[at] }).join(""));
    const said = `${frame.title}: ${answers.join(", ")}`;
    this.slider.setAttribute("aria-valuetext", said);
    if (!this.timer) this.find(".said").textContent = said;
    this.canvases.forEach((one, at) => {
      one.setAttribute("aria-label", `${this.data.captions[at]}, ${frame.title}`);
      paint(one, this.frames[place][at], () => this.place === place);
    });
    this.panels.forEach((one, at) => one.show(place, frame.shares[at], frame.answers[at]));
  }
}

// The parts of a sentence, each {value} replaced.
function filled(sentence, values) {
  return sentence.split(/\{(\w+)\}/).map((part, at) => (at % 2 ? values[part] : part));
}

function load(source) {
  const image = new Image();
  image.src = source;
  return image;
}

// What is not decoded yet is painted once it is, unless another frame is shown by then.
function paint(target, image, wanted) {
  const draw = () => {
    if (!wanted()) return;
    target.width = image.naturalWidth;
    target.height = image.naturalHeight;
    target.getContext("2d").drawImage(image, 0, 0);
  };
  if (image.complete && image.naturalWidth) draw();
  else image.addEventListener("load", draw, { once: true });
}

function element(kind, name, text = "") {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}

function canvas(caption, exact) {
  const figure = element("figure", "");
  const drawn = element("canvas", exact ? "exact" : "");
  drawn.setAttribute("role", "img");
  figure.append(drawn, element("figcaption", "quiet", caption));
  return drawn;
}

function panel(data, branch, place) {
  const head = element(`h${data.level}`, "head");
  const name = element("span", "", branch.name);
  name.style.borderBottom = `3px solid ${branch.colour}`; // as a text it would be too pale
  const answer = element("span", "");
  head.append(...filled(data.words.says, { branch: name, answer }));
  const rows = data.classes.map((title) => row(title, branch.colour));
  const path = trajectory(data, branch.colour, place);
  const lead = data.classes[data.lead];
  const note = filled(data.words.path, { name: lead, start: data.words.start }).join("");
  const whole = element("div", "branch");
  whole.append(head, ...rows.map((one) => one.element), path.element, element("p", "note", note));
  return {
    element: whole,
    show(at, shares, said) {
      answer.textContent = said;
      rows.forEach((one, index) => one.show(shares[index]));
      path.show(at);
    },
  };
}

function row(title, colour) {
  const name = element("div", "name", title);
  const [share, track, bar] = ["share", "track", "bar"].map((kind) => element("div", kind));
  name.title = title;
  bar.style.background = colour;
  track.append(bar);
  const whole = element("div", "row");
  whole.append(name, share, track);
  return {
    element: whole,
    show(value) {
      share.textContent = percent(value);
      bar.style.width = `${100 * value}%`;
    },
  };
}

// The class under attack, or the target, over the whole film, and where the slider is.
function trajectory(data, colour, place) {
  const path = svg("svg", { class: "path", viewBox: "0 0 100 100", preserveAspectRatio: "none" });
  path.setAttribute("aria-hidden", "true");
  const last = Math.max(1, data.frames.length - 1);
  const points = data.frames.map((one, at) => [(100 * at) / last, 100 - 100 * one.shares[place][data.lead]]);
  const now = svg("line", { class: "now", y1: 0, y2: 100 });
  path.append(
    svg("line", { class: "edge", x1: 0, x2: 100, y1: 0, y2: 0 }),
    svg("line", { class: "edge", x1: 0, x2: 100, y1: 100, y2: 100 }),
    svg("polyline", { class: "line", stroke: colour, points: points.join(" ") }),
    now,
  );
  return {
    element: path,
    show(at) {
      now.setAttribute("x1", points[at][0]);
      now.setAttribute("x2", points[at][0]);
    },
  };
}

function svg(kind, attributes) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// As the page writes it everywhere: tiny and near-certain shares keep their side of the edge.
function percent(share) {
  if (share > 0 && share < 0.005) return "<1 %";
  if (share >= 0.995 && share < 1) return ">99 %";
  return `${Math.round(100 * share)} %`;
}
