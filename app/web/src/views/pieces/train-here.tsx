/** A network that the reader trains. */

import { useSchool } from "../lessons/context";
import { LiveTraining } from "../training/live-training";

export function TrainHere() {
  return <LiveTraining manifest={useSchool().manifest} />;
}
