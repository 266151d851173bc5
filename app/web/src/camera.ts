/** The camera, frame by frame: each is handed on once the one before has been answered. */

import type { Levels } from "./engine/levels";
import type { Lab } from "./lab";
import { squareOf } from "./pictures";
import { words } from "./text";

const RATE_OVER = 8; // frames

export class Camera {
  attacks = true;
  /** Frames a second, over the last few. */
  rate = 0;
  frame: Levels | null = null;
  #stream: MediaStream | null = null;
  readonly #video = document.createElement("video");
  #times: number[] = [];

  constructor(readonly lab: Lab) {
    this.#video.muted = true;
    this.#video.playsInline = true;
  }

  get isOn(): boolean {
    return this.#stream !== null;
  }

  async start(): Promise<void> {
    if (!navigator.mediaDevices?.getUserMedia) return this.lab.report(words.cameraNeedsHttps);
    try {
      const wanted = { facingMode: "environment", width: { ideal: 640 }, height: { ideal: 480 } };
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
      this.#video.srcObject = this.#stream;
      await this.#video.play();
      for (const track of this.#stream.getTracks()) track.onended = () => this.stop();
    } catch (error) {
      this.#release();
      const isMissing = error instanceof DOMException && error.name === "NotFoundError";
      return this.lab.report(isMissing ? words.cameraMissing : words.noCamera);
    }
    this.#times = [];
    this.lab.live = { next: () => this.#next(), stop: () => this.stop() };
    this.#next();
  }

  /** Ends live mode; the picture that was chosen before is asked about again. */
  stop(): void {
    this.#release();
    this.lab.changed();
    void this.lab.ask();
  }

  /** Ends live mode and keeps the last frame as a picture. */
  take(): void {
    const { frame } = this;
    this.#release();
    if (frame) this.lab.addLevels(words.cameraTitle, frame);
  }

  #release(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
    this.lab.live = null;
  }

  #next(): void {
    if (!this.#stream) return;
    if (document.hidden) {
      document.addEventListener("visibilitychange", () => this.#next(), { once: true });
      return;
    }
    this.#times = [...this.#times, performance.now()].slice(-RATE_OVER);
    const [first, last] = [this.#times[0], this.#times[this.#times.length - 1]];
    this.rate = last > first ? (1000 * (this.#times.length - 1)) / (last - first) : 0;
    const { videoWidth, videoHeight } = this.#video;
    this.frame = squareOf(this.#video, videoWidth, videoHeight, this.lab.network.size);
    this.lab.askLive(this.frame, this.attacks);
    this.lab.changed();
  }
}
