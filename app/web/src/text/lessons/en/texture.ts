import type { LessonWords } from "../shape";

export const texture = {
  title: "Texture or shape?",
  about:
    "Objects with the outline of one class and the texture of another tell what a network reads.",
  inShort: [
    "A network may learn a class by its outline or by its texture. On ordinary pictures you cannot tell which.",
    "A picture where the two disagree tells: the answer shows which one the network went by.",
    "A plain network went by texture more often than by outline. AdvProp's branches did the opposite.",
    "Robust and shape-reading are two things: a network can be the one without the other.",
  ],
  tasks: [
    "Think of a photo where texture misleads. Draw it.",
    "Why did the conflict not occur in training? Would you have noticed it otherwise?",
  ],
  parts: {
    start: [
      "These networks know ten drawn shapes: star, heart, crescent and so on. In training each shape always had its own texture: stars were striped, hearts dotted. So a network could learn “star” by its outline or by its stripes. Both gave the right answer, and nobody could tell which it learned.",
      "Now we draw what never occurred: a shape in the texture of another. It is called a **cue conflict** (Geirhos and others, 2018).",
    ],
    conflict: {
      question:
        "A plain network, trained on clean scenes alone, sees such an object. What does it answer most often?",
      choices: [
        "The class of the texture",
        "The class of the outline",
        "A class that is neither of them",
      ],
      after: [
        "Go through some scenes, then ask all of them. The table counts who answered by outline (shape), by texture, or by neither.",
      ],
    },
    measured: [
      "Twenty scenes are few. On 500 such scenes, of the answers by outline or texture, the plain network gave 39 % by outline (interval 34 to 44). AdvProp's main gave 59 % (53 to 65) and its aux 65 % (60 to 70). This share is called **shape bias**.",
      "Not every way of training with attacks does this. Fast AdvProp attacks only a fifth of its pictures. It went by texture more than the plain network: 24 %.",
      "And robust does not mean shape: a network that was attacked with another measure of size, L2, was as robust as AdvProp's main, and read texture as the plain one does (37 %).",
    ],
    end: [
      "So attacked pictures can move a network from texture towards outline. These figures are of drawn scenes and small networks. They do not say why.",
    ],
  },
  tests: {
    a: [
      {
        question:
          "A drawn heart wears the texture that always came with stars. What does a network say that goes by texture?",
        choices: ["Star", "Heart", "Neither"],
        why: "It reads the texture, and that means star.",
      },
      {
        question: "What did AdvProp's branches do here, beside a plain network?",
        choices: [
          "They went by texture more often",
          "They went by outline more often",
          "They did just the same",
        ],
        why: "Shape bias 59 and 65 % instead of 39 %.",
      },
    ],
    b: [
      {
        question:
          "An object has the outline of a fish and the texture of rings. A network answers “ring”. What did it go by?",
        choices: ["By outline", "By colour", "By texture"],
        why: "Ring is the texture's class, so texture decided.",
      },
      {
        question: "Does “robust” always mean “goes by outline”?",
        choices: [
          "Yes",
          "No: a robust network was measured that reads texture",
          "A robust network cannot read outlines",
        ],
        why: "The network that was attacked in L2 is robust and has a shape bias of 37 %.",
      },
    ],
  },
} as const satisfies LessonWords;
