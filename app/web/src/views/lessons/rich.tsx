/** A text of the catalogue as paragraphs; `**main**` is bold, in the branch's colour. */

/** An equation, and a number with its percent sign, stay on one line. */
const unbroken = (text: string) =>
  text.replaceAll("ε = ", "ε\u00a0=\u00a0").replaceAll(" %", "\u00a0%");

const BRANCHES = ["main", "aux", "aux2"];

export function Rich({ text }: { text: string }) {
  return (
    <>
      {unbroken(text)
        .split("**")
        .map((part, index) =>
          index % 2 === 0 ? (
            part
          ) : (
            <b key={`${index} ${part}`} data-branch={branchOf(part)}>
              {part}
            </b>
          ),
        )}
    </>
  );
}

function branchOf(name: string): number | undefined {
  const branch = BRANCHES.indexOf(name);
  return branch < 0 ? undefined : branch;
}

export function Paragraphs({ texts }: { texts: readonly string[] }) {
  return (
    <>
      {texts.map((text) => (
        <p key={text}>
          <Rich text={text} />
        </p>
      ))}
    </>
  );
}
