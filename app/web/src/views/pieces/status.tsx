/** A fixed line below a live part: what is on its way, and what went wrong. */

import type { ComponentChildren } from "preact";
import type { Network } from "../../manifest";
import { sentences, words } from "../../text";
import { failureText } from "../../text/failures";
import { useChangesOf } from "../hooks";
import { type Asked, useLessonContext, useNetwork } from "../lessons/context";
import { Warning } from "../warning";

export function Status({ asked }: { asked: Asked<unknown> }) {
  const { queue } = useLessonContext();
  useChangesOf(queue);
  const { loading } = queue;
  if (asked.failure) {
    return <Warning text={failureText(asked.failure.kind, asked.failure.message)} />;
  }
  const isLoading = asked.isPending && loading !== null;
  const text = isLoading
    ? words.loading(loading.network.title)
    : asked.isPending
      ? sentences(words.lessons.asking, ...(asked.value ? [words.lessons.stillShown] : []))
      : "";
  return (
    <div class="progress" role="status">
      {isLoading && <progress max={1} value={loading.share} aria-label={text} />}
      <small>{text}</small>
    </div>
  );
}

interface OnNetworkProps {
  name: string;
  children: (network: Network) => ComponentChildren;
}

/** What is drawn of a network that the page holds. */
export function OnNetwork({ name, children }: OnNetworkProps) {
  const network = useNetwork(name);
  return network ? children(network) : <MissingNetwork name={name} />;
}

/** In place of a part whose network the page does not hold. */
export function MissingNetwork({ name }: { name: string }) {
  return <Warning text={words.lessons.missingNetworks([name])} />;
}
