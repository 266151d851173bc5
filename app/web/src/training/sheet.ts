/** The sheet that holds all pictures to train on, to the levels of each. */

import { DamagedAsset, readAsset, type Source } from "../engine/assets";
import type { TrainingPlan } from "../manifest";
import { canvasOf, levelsOf } from "../pictures";

/** (pictures, 3, size, size), in the order of the sheet, row by row. */
export async function readSheet(source: Source, plan: TrainingPlan): Promise<Uint8Array> {
  const { columns, train, validation } = plan.pictures;
  const { size } = plan.network;
  const context = await drawSheet(source);
  const count = train.length + validation.length;
  const length = 3 * size * size;
  const levels = new Uint8Array(count * length);
  for (let index = 0; index < count; index++) {
    const left = size * (index % columns);
    const top = size * Math.floor(index / columns);
    levels.set(levelsOf(context.getImageData(left, top, size, size)), index * length);
  }
  return levels;
}

async function drawSheet(source: Source): Promise<CanvasRenderingContext2D> {
  const file = new Blob([await readAsset(source)], { type: "image/webp" });
  const bitmap = await createImageBitmap(file).catch((cause: unknown) => {
    throw new DamagedAsset(source.name, { cause });
  });
  const { context } = canvasOf(bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context;
}
