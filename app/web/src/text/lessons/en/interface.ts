import { join } from "../../format";

const people = (count: number) => (count === 1 ? "1 person" : `${count} people`);

/** Around the lessons: overview, questions, answers, the judging of maps, the teacher's page. */
export const interfaceWords = {
  title: "Eight lessons",
  about:
    "How networks are fooled, and what AdvProp makes of it. Ten minutes each: you guess first, then you see. Everything runs on your device, and your answers stay in it.",
  numbered: (lesson: number, count: number) => `Lesson ${lesson} of ${count}`,
  begun: "Begun",
  all: "All lessons",
  next: (title: string) => `Next: ${title}`,
  unknownLesson: (asked: string, count: number) =>
    `The link asks for lesson “${asked.slice(0, 20)}”. There are lessons 1 to ${count}.`,
  missingNetworks: (names: readonly string[]) =>
    `${join(names)} ${names.length > 1 ? "are" : "is"} not in this page, so what needs ${names.length > 1 ? "them" : "it"} is left out. A page that “advprop page --lessons” writes has everything.`,
  predict: "Guess first",
  reveal: "Show me",
  covered: "The answer appears when you have guessed.",
  goesOn: "The lesson goes on when you have guessed.",
  doNotKnow: "I do not know yet",
  test: {
    before: {
      title: "Before you begin: two questions",
      about:
        "You need not know this yet. Choose the answer that seems right, or “I do not know yet”. At the end you get two more questions of the same kind.",
      button: "Begin the lesson",
      done: "Thank you. At the end you see which answers were right.",
      looked: "Your first two answers, and the right ones",
    },
    after: {
      title: "What you know now: two questions",
      about: "You can answer both from this lesson.",
      button: "Check my answers",
      result: (right: number, count: number) => `${right} of ${count} right.`,
    },
  },
  answers: {
    title: "Your answers",
    about:
      "They are kept in this browser and sent to nobody. The file holds your choices and a random number, no name. Give it to your teacher if you like.",
    notKept:
      "This browser keeps nothing after the visit. Save your answers before you close the page.",
    save: "Save my answers",
    saved: (file: string) => `Saved as ${file}. Your browser puts it where it puts downloads.`,
    fileName: "advprop-answers",
    forget: "Forget my answers",
    forgetSurely: "Yes, forget them",
    keep: "Keep them",
  },
  interval: "95 % interval",
  range: (low: string, high: string) => `${low} to ${high}`,
  judge: {
    title: "Whose map would you trust?",
    about:
      "You see two maps of the same picture, from two networks, without names. Choose the one that you would rather trust as an explanation. It is your judgement: there is no right answer. Twelve pairs are enough.",
    pair: (count: number) => `Pair ${count}`,
    question: (name: string) =>
      `Both networks say “${name}”, and both are right. Each map shows which pixels the answer depends on. Which one explains it better?`,
    sides: ["Left", "Right"],
    preferred: { left: "Left", neither: "No difference", right: "Right" },
    judged: (count: number) => `${count === 1 ? "1 pair" : `${count} pairs`} judged`,
    judgedColumn: "Judged",
    allJudged: "You have judged every pair. Thank you.",
    scores: "Whose maps did you trust?",
    stillToJudge: (count: number) =>
      `Judge ${count} more ${count === 1 ? "pair" : "pairs"}, then you see whose maps they were.`,
    enough: (left: number) =>
      `That is enough, you may stop here. ${left} more ${left === 1 ? "pair is" : "pairs are"} there if you like: the same pictures with other maps.`,
    showScores: "Show whose maps they were",
    scoresOfOne: "Your judgements",
    candidate: "Map of",
    share: "Preferred",
    candidates: {
      "shapes-vanilla/main": "Plain network",
      "shapes-adversarial/main": "Trained on attacked scenes alone",
      "shapes-advprop/main": "AdvProp, main",
      "shapes-advprop/aux": "AdvProp, aux",
    } as Record<string, string>,
    overlap: "All intervals overlap: no map was clearly preferred.",
    method:
      "“Preferred” is the probability that people choose a map over an average one, by the model of Bradley and Terry. “No difference” counts half for each. Every pair starts with one tie. The interval is a sandwich interval with Student’s t: over judgements for one person, over people for a class.",
  },
  teacher: {
    title: "For the teacher",
    about: "Make a link for your class, add up what the class exported, print handouts.",
    link: "A link for the class",
    linkAbout: "It opens what you choose, and hides what you do not need.",
    opens: "The link opens",
    hideDoors: "Hide the doors to the lab and the other lessons",
    ownLanguage: "That of each reader’s browser",
    linkField: "Link for the class",
    fromDisk:
      "This page lies on your disk, so the link works on this device. Put the page on a web host, or start “advprop app --public”, and make the link there.",
    results: "What the class exported",
    resultsAbout:
      "Each reader saves one file, under Your answers. Drop all of them here. They are added up on this device and sent to nobody.",
    addFiles: "Choose files",
    orDrop: "or drop them here",
    counted: (count: number, repeated: number) =>
      `${people(count)} counted.${repeated ? ` ${repeated === 1 ? "1 file" : `${repeated} files`} came from people who were counted before: the file with more answers counts.` : ""}`,
    refused: {
      "no-json": (name: string) => `“${name}” is damaged or not a file of answers: it is not JSON.`,
      foreign: (name: string) => `“${name}” is not a file of answers.`,
      version: (name: string) => `“${name}” was saved by another version of these lessons.`,
      damaged: (name: string) => `“${name}” is damaged: it holds answers that no lesson gives.`,
    },
    gains: "Right answers before and after each lesson",
    lesson: "Lesson",
    readers: "People",
    before: "Before",
    after: "After",
    gain: "Gain in points",
    gainMethod:
      "Each reader’s share of right answers after the lesson, minus that before it. Half of the readers get the two pairs of questions in the other order. The gain is the mean of both halves, so that unequal questions cancel, and its 95 % interval is Welch’s t interval. With fewer than two readers in a half it is Student’s, over all readers. There is no interval for one reader, or if all gained the same. Readers who did not finish are not counted.",
    preferences: (count: number) => `Preferred maps, judged by ${people(count)}`,
    noJudgements: "Nobody has judged maps.",
    handouts: "Handouts",
    handoutsAbout: "One printed page for each lesson: what it says, guesses to make, tasks.",
  },
  handout: {
    print: "Print",
    inShort: "In short",
    predict: "Guess first, then look at the page",
    tasks: "To think about",
    notes: "Notes",
  },
};
