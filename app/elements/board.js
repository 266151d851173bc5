// Pictures, maps and answers of one comparison. Zoom and place are the same for all pictures, and
// stay while these change.

const MOST_ZOOM = 12;
const STEP = 1.25;
// What part of the pictures is looked at, in all boards of the page. It outlives the elements, which
// the page may make anew.
const view = { zoom: 1, x: 0, y: 0 };
const shown = new Set();

export default function ({ data, parentElement }) {
  parentElement.board ??= new Board(parentElement.querySelector(".board"));
  parentElement.board.update(data);
}

class Board {
  constructor(root) {
    this.root = root;
    this.grid = root.querySelector(".grid");
    shown.add(this);
    this.move(0, 0);
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.addEventListener("pointerdown", (event) => this.grab(event));
    root.addEventListener("dblclick", (event) => {
      if (event.target.closest(".lens")) this.look(view.zoom > 1 ? 1 : 3, event);
    });
  }

  update(data) {
    if (JSON.stringify(data) === this.shown) return;
    this.shown = JSON.stringify(data);
    this.root.setAttribute("aria-label", data.label);
    const [clean, perturbed, change] = data.pictures;
    const first = element("div", "row");
    const beside = element("div", "beside");
    const notes = element("div", "notes");
    notes.append(facts(data.facts), key(data.titles));
    beside.append(picture(change), notes);
    first.append(picture(clean), picture(perturbed), beside);
    const rows = data.branches.map((branch) => {
      const row = element("div", "row");
      const maps = data.maps?.[branch.name] ?? [];
      if (data.maps !== null) row.append(...[0, 1].map((at) => picture(maps[at], data.isOld)));
      row.append(answers(branch, data.titles));
      return row;
    });
    this.root.style.setProperty("--rows", 1 + rows.length);
    this.root.classList.toggle("half", data.isHalf);
    this.grid.replaceChildren(first, ...rows);
  }

  // Pictures are moved in percent of their own side, before they are enlarged.
  look(zoom, event) {
    const before = view.zoom;
    view.zoom = Math.min(MOST_ZOOM, Math.max(1, zoom));
    const lens = event?.target.closest?.(".lens")?.getBoundingClientRect();
    if (lens) {
      const at = (place, start, side) => ((place - start) / side - 0.5) * 100;
      const change = 1 / view.zoom - 1 / before;
      view.x += at(event.clientX, lens.left, lens.width) * change;
      view.y += at(event.clientY, lens.top, lens.height) * change;
    }
    this.move(0, 0);
  }

  move(x, y) {
    const most = 50 * (1 - 1 / view.zoom);
    view.x = Math.min(most, Math.max(-most, view.x + x));
    view.y = Math.min(most, Math.max(-most, view.y + y));
    for (const board of shown) {
      if (!board.root.isConnected && board !== this) shown.delete(board);
      board.place();
    }
  }

  place() {
    this.root.style.setProperty("--zoom", view.zoom);
    this.root.style.setProperty("--x", `${view.x}%`);
    this.root.style.setProperty("--y", `${view.y}%`);
    this.root.classList.toggle("zoomed", view.zoom > 1);
  }

  key(event) {
    const step = 8 / view.zoom;
    const act = {
      "+": () => this.look(view.zoom * STEP),
      "=": () => this.look(view.zoom * STEP),
      "-": () => this.look(view.zoom / STEP),
      0: () => this.look(1),
      ArrowLeft: () => this.move(step, 0),
      ArrowRight: () => this.move(-step, 0),
      ArrowUp: () => this.move(0, step),
      ArrowDown: () => this.move(0, -step),
    }[event.key];
    const scrolls = event.key.startsWith("Arrow") && view.zoom === 1;
    if (!act || scrolls || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  wheel(event) {
    // Without a key the wheel scrolls the page, as it does everywhere.
    if (!event.ctrlKey || !event.target.closest(".lens")) return;
    event.preventDefault();
    this.look(view.zoom * STEP ** (-event.deltaY / 50), event);
  }

  grab(event) {
    const lens = event.target.closest(".lens");
    if (!lens || view.zoom === 1) return;
    event.preventDefault();
    lens.setPointerCapture(event.pointerId);
    const side = lens.getBoundingClientRect().width * view.zoom;
    const drag = (moved) => this.move((100 * moved.movementX) / side, (100 * moved.movementY) / side);
    const end = () => lens.removeEventListener("pointermove", drag);
    lens.addEventListener("pointermove", drag);
    lens.addEventListener("pointerup", end, { once: true });
    lens.addEventListener("pointercancel", end, { once: true });
  }
}

function element(kind, name, text) {
  const made = document.createElement(kind);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Without a picture, the place that waits for one.
function picture(shown, isOld = false) {
  const figure = element("figure", isOld ? "old" : "");
  const lens = element("div", shown ? "lens" : "lens waiting");
  if (shown) {
    const image = element("img");
    image.src = shown.source;
    image.alt = shown.alt;
    image.draggable = false;
    lens.append(image);
  }
  const caption = element("figcaption", "", shown?.caption ?? "");
  caption.title = shown?.caption ?? "";
  figure.append(lens, caption);
  return figure;
}

function facts(rows) {
  const list = element("dl", "facts");
  for (const { title, value, help } of rows) {
    const pair = element("div");
    pair.append(element("dt", "", title), element("dd", "", value), element("dd", "help", help));
    list.append(pair);
  }
  return list;
}

// What plain and hatched bars mean, once for all branches.
function key(titles) {
  const list = element("p", "key");
  list.append(...titles.map((title, at) => element("span", at ? "perturbed" : "", title)));
  return list;
}

function answers(branch, titles) {
  const panel = element("div", "answers");
  panel.style.setProperty("--colour", branch.colour);
  const head = element("h3");
  head.append(element("b", "", branch.name), ` ${branch.said}`);
  panel.append(head);
  const list = element("div", "list");
  panel.append(list);
  for (const answer of branch.answers) {
    const row = element("div", "answer");
    const name = element("span", "name", `${answer.true ? "✓ " : ""}${answer.name}`);
    name.title = answer.name;
    row.append(name);
    answer.shares.forEach((share, at) => {
      const bar = element("div", at ? "bar perturbed" : "bar");
      bar.style.width = `${Math.max(0.5, 100 * share)}%`;
      bar.setAttribute("role", "img");
      bar.setAttribute("aria-label", `${titles[at]}: ${answer.words[at]}`);
      row.append(bar, element("span", "share", answer.words[at]));
    });
    list.append(row);
  }
  return panel;
}
