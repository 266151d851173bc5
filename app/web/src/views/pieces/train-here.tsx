/** A network that the reader trains. */

import { useLessonContext } from "../lessons/context";
import { LiveTraining } from "../training/live-training";

export function TrainHere() {
  return <LiveTraining manifest={useLessonContext().manifest} />;
}
