// A picture on which regions are marked with a mouse, a pen or a finger.
//
// A region is [left, top, width, height] in thousandths of the picture's side. What is drawn goes
// to the server as text with a serial number; what comes back is taken over unless it is older
// than what was drawn here meanwhile.

const WHOLE = 1000;
const SMALLEST = 12; // a click is no region
const SVG = "http://www.w3.org/2000/svg";

export default function ({ data, parentElement, setStateValue }) {
  const eraser = (parentElement.eraser ??= new Eraser(parentElement));
  eraser.send = (text, serial) => setStateValue("drawn", { text, serial });
  eraser.update(data);
}

class Eraser {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.regions = [];
    this.serial = 0;
    this.begun = null;
    const surface = this.find(".surface");
    surface.addEventListener("pointerdown", (event) => this.begin(event));
    surface.addEventListener("pointermove", (event) => this.move(event));
    surface.addEventListener("pointerup", (event) => this.end(event));
    surface.addEventListener("pointercancel", () => this.cancel());
    this.find(".undo").addEventListener("click", () => this.change(this.regions.slice(0, -1)));
    this.find(".clear").addEventListener("click", () => this.change([]));
  }

  update(data) {
    const photo = this.find(".photo");
    if (photo.src !== data.picture) photo.src = data.picture;
    photo.alt = data.alt;
    this.find(".caption").textContent = data.caption;
    this.most = data.most;
    this.words = data.words;
    if (data.serial >= this.serial) {
      this.serial = data.serial;
      this.regions = parse(data.regions);
    }
    this.draw();
  }

  place(event) {
    const box = this.find(".surface").getBoundingClientRect();
    const within = (share) => Math.round(Math.min(1, Math.max(0, share)) * WHOLE);
    return [
      within((event.clientX - box.left) / box.width),
      within((event.clientY - box.top) / box.height),
    ];
  }

  begin(event) {
    if (event.button !== 0 || !event.isPrimary || this.regions.length >= this.most) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    this.begun = this.place(event);
    this.draw();
  }

  move(event) {
    if (!this.begun) return;
    this.draft = between(this.begun, this.place(event));
    this.draw();
  }

  end(event) {
    if (!this.begun) return;
    const region = between(this.begun, this.place(event));
    this.cancel();
    if (region[2] >= SMALLEST && region[3] >= SMALLEST) this.change([...this.regions, region]);
  }

  cancel() {
    this.begun = this.draft = null;
    this.draw();
  }

  change(regions) {
    this.regions = regions;
    this.serial += 1;
    this.draw();
    this.send(regions.map((region) => region.join(".")).join("_"), this.serial);
  }

  draw() {
    const shown = this.draft ? [...this.regions, this.draft] : this.regions;
    this.find(".marks").replaceChildren(
      ...shown.flatMap((region) => [outline(region, "dark"), outline(region, "light")]),
    );
    const none = this.regions.length === 0;
    this.find(".undo").disabled = this.find(".clear").disabled = none;
    const full = this.regions.length >= this.most;
    const { undo, clear, some, full: noMore } = this.words;
    this.find(".undo").textContent = undo;
    this.find(".clear").textContent = clear;
    const said = none ? this.words.none : full ? noMore : some;
    this.find(".said").textContent = said.replace("{count}", this.regions.length);
  }
}

function between([x, y], [u, v]) {
  return [Math.min(x, u), Math.min(y, v), Math.abs(u - x), Math.abs(v - y)];
}

function parse(text) {
  return text ? text.split("_").map((one) => one.split(".").map(Number)) : [];
}

function outline([x, y, width, height], kind) {
  const rectangle = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y, width, height, class: kind })) {
    rectangle.setAttribute(name, value);
  }
  return rectangle;
}
