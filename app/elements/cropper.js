// A square on a photo, moved and resized by hand. All lengths are thousandths of the photo's
// shorter side; what is chosen goes to the server as LEFT.TOP.SIDE.

const WHOLE = 1000;
const STEP = 20;

export default function ({ data, parentElement, setTriggerValue }) {
  const cropper = (parentElement.cropper ??= new Cropper(parentElement));
  cropper.send = (crop) => setTriggerValue("crop", crop);
  cropper.update(data);
}

class Cropper {
  constructor(root) {
    this.photo = root.querySelector(".photo");
    this.square = root.querySelector(".square");
    this.photo.addEventListener("load", () => this.show());
    this.square.addEventListener("pointerdown", (event) => this.grab(event));
    this.square.addEventListener("keydown", (event) => this.key(event));
  }

  update(data) {
    const now = JSON.stringify(data);
    if (now === this.shown) return;
    this.shown = now;
    this.data = data;
    this.photo.alt = data.alt;
    if (this.photo.src === data.image) this.show();
    else this.photo.src = data.image;
  }

  show() {
    const { naturalWidth: width, naturalHeight: height } = this.photo;
    const short = Math.min(width, height);
    this.most = [(WHOLE * width) / short, (WHOLE * height) / short];
    const middle = this.most.map((side) => (side - WHOLE) / 2);
    const [left, top, side] = this.data.crop ? this.data.crop.split(".").map(Number) : [...middle, WHOLE];
    this.place(left, top, side);
  }

  place(left, top, side) {
    side = Math.min(WHOLE, Math.max(this.data.smallest, side));
    const within = (start, most) => Math.min(most - side, Math.max(0, start));
    this.at = [within(left, this.most[0]), within(top, this.most[1]), side];
    const share = (length, most) => `${(100 * length) / most}%`;
    const style = this.square.style;
    style.left = share(this.at[0], this.most[0]);
    style.top = share(this.at[1], this.most[1]);
    style.width = share(side, this.most[0]);
    style.height = share(side, this.most[1]);
  }

  grab(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    this.square.focus();
    this.square.setPointerCapture(event.pointerId);
    const unit = this.most[0] / this.photo.getBoundingClientRect().width;
    const [left, top, side] = this.at;
    const resizes = event.target.className === "corner";
    const move = (moved) => {
      const x = (moved.clientX - event.clientX) * unit;
      const y = (moved.clientY - event.clientY) * unit;
      if (resizes) this.place(left, top, side + Math.max(x, y));
      else this.place(left + x, top + y, side);
    };
    const end = () => {
      this.square.removeEventListener("pointermove", move);
      this.done();
    };
    this.square.addEventListener("pointermove", move);
    this.square.addEventListener("pointerup", end, { once: true });
    this.square.addEventListener("pointercancel", end, { once: true });
  }

  key(event) {
    const [left, top, side] = this.at;
    const to = {
      ArrowLeft: [left - STEP, top, side],
      ArrowRight: [left + STEP, top, side],
      ArrowUp: [left, top - STEP, side],
      ArrowDown: [left, top + STEP, side],
      "-": [left + STEP / 2, top + STEP / 2, side - STEP],
      "+": [left - STEP / 2, top - STEP / 2, side + STEP],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    this.place(...to);
    clearTimeout(this.waiting); // one request for a key that is held down
    this.waiting = setTimeout(() => this.done(), 400);
  }

  done() {
    this.send(this.at.map(Math.round).join("."));
  }
}
