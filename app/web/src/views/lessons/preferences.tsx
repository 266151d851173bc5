/** How strong each candidate is, as bars with intervals. */

import type { Strength } from "../../lessons/preferences";
import { percent, words } from "../../text";

export function Preferences({ strengths, about }: { strengths: Strength[]; about: string }) {
  const texts = words.lessons.judge;
  const ordered = [...strengths].sort((a, b) => b.share - a.share);
  return (
    <>
      <table class="numbers">
        <caption>{about}</caption>
        <thead>
          <tr>
            <th scope="col">{texts.candidate}</th>
            <th scope="col">{texts.share}</th>
            <th scope="col">{words.lessons.interval}</th>
            <th scope="col">{texts.judgedColumn}</th>
          </tr>
        </thead>
        <tbody>
          {ordered.map(({ candidate, share, interval, judged }) => (
            <tr key={candidate}>
              <th scope="row">{texts.candidates[candidate] ?? candidate}</th>
              <td data-label={texts.share}>{percent(share)}</td>
              <td data-label={words.lessons.interval}>
                {interval
                  ? words.lessons.range(percent(interval.low), percent(interval.high))
                  : "–"}
              </td>
              <td data-label={texts.judgedColumn}>{judged}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {doOverlap(strengths) && <p>{texts.overlap}</p>}
      <p class="hint">{texts.method}</p>
    </>
  );
}

/** Whether there is a value that lies in every interval. */
function doOverlap(strengths: readonly Strength[]): boolean {
  const intervals = strengths.flatMap(({ interval }) => (interval ? [interval] : []));
  const lowest = Math.max(...intervals.map(({ low }) => low));
  const highest = Math.min(...intervals.map(({ high }) => high));
  return intervals.length === strengths.length && lowest <= highest;
}
