import type { LessonWords } from "../shape";

export const trust = {
  title: "Can you trust what you saw?",
  about: "Three tests that a map or a result must pass before you believe it.",
  inShort: [
    "Break the network: a map that stays the same does not show what the network learned.",
    "Train on random labels: a map that still shows the object mostly shows the input.",
    "Train again: what one network shows may be chance. Look at several.",
    "Here both of these happened: a broken network kept its map, and a map after training on random labels still showed the digit.",
  ],
  tasks: [
    "Take a result of an earlier lesson. Which of the three tests would you do first, and how?",
    "Somebody shows you one convincing map. Write down the two questions that you ask.",
  ],
  parts: {
    start: [
      "Maps are convincing. That is their danger: people see what they expect. Adebayo and others (2018) asked for a simple thing. If a map explains what a network learned, it must change when the network has learned something else, or nothing at all.",
    ],
    weights: {
      question:
        "We shuffle the numbers in the norm layers of a network (those of lesson 4), the last layer first, until it no longer says “star”. What happens to its saliency map for “star”?",
      choices: ["It looks much as before", "It becomes empty", "It leaves the star"],
      after: [
        "Move the slider up slowly. Before the middle the network suddenly no longer says star. Yet its map for “star” looks much as before: the number below stays near 1. So most of what this map shows is not what makes the answer right. Only towards the end of the slider the map changes, too.",
        "Only norm layers are shuffled here. The other weights are still those that were learned: they still find edges and stripes, and the map shows these. The published study found the same of several kinds of map.",
      ],
    },
    labels: {
      question:
        "A **label** is the right answer that comes with a picture in training. A model of digits learns from random labels: there is nothing to learn. We draw two maps of it: its weights, and each pixel's ink times its weight (“input times weight”). Which of them still looks like the digit?",
      choices: ["The weights", "Input times weight", "Neither of them"],
      after: [
        "Input times weight can only be strong where there is ink. So its outline is the digit's, whatever was learned. It looks like an explanation, and much of it is a copy of the input. The line below the maps says how alike the two models' maps are, from −1 to 1: the weights hardly, input times weight very much.",
      ],
    },
    seeds: {
      question:
        "Two models learn from two halves of the true digits. Chance decides which half a digit is in. Both are nearly always right. Are their weights the same?",
      choices: ["Yes, number for number", "Alike, but not the same", "Not related at all"],
      after: [
        "Both found a way to be right. The ways are alike, not equal: the number below would be 1 for the same weights, and is less. A single network's map shows one of them. So look at several before you say “networks look at …”.",
      ],
    },
    checks: [
      "A network begins with random numbers. The **seed** is the number that decides them: another seed, another beginning, another network. This project repeats its trainings with five seeds. For each difference it gives a 95 % interval. One pair of networks seemed to differ: one was right on 1.1 of 100 clean photos fewer. In a similar study of five seeds the interval goes from −1.1 to +0.3. That holds zero, so no difference shows.",
      "Now you know what to ask: what happens when the network is broken, when there is nothing to learn, and when it is trained again?",
    ],
  },
  tests: {
    a: [
      {
        question:
          "The numbers in a network are shuffled and its answers break. A map looks the same as before. What follows?",
        choices: [
          "The map has found what truly counts",
          "The map shows little of what was learned",
          "The network still knows the answer",
        ],
        why: "What was shuffled is no longer what was learned, and the map did not notice.",
      },
      {
        question: "Two networks were trained alike with other seeds. Their maps differ. What now?",
        choices: [
          "Show the map that fits the object best",
          "Trust the network with more right answers",
          "Ask more networks before you conclude",
        ],
        why: "One network shows one of several ways to be right.",
      },
    ],
    b: [
      {
        question:
          "A model learned from random labels. Its map shows the digit clearly. What does the map show?",
        choices: [
          "Mostly what was put in",
          "What the model learned of digits",
          "That some labels were right by luck",
        ],
        why: "There was nothing to learn, so the digit in the map comes from the input.",
      },
      {
        question:
          "One network's map supports your idea. “That may be chance of this one training”, says a friend. What do you show her?",
        choices: [
          "Maps of this network on other photos",
          "Maps of networks with other seeds",
          "The same map on a finer colour scale",
        ],
        why: "Another seed is another training. What several networks show is less likely to be chance.",
      },
    ],
  },
} as const satisfies LessonWords;
