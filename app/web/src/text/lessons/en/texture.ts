import type { LessonWords } from "../shape";

export const texture = {
  title: "Texture or shape?",
  about:
    "Objects with the outline of one class and the texture of another show what a network decides by.",
  inShort: [
    "A network may learn a class by its outline or by its texture. On ordinary pictures you cannot tell which.",
    "A picture where the two disagree helps: the answer shows which one the network decided by.",
    "On 500 such scenes a plain network decided by texture more often than by outline. AdvProp's branches did the opposite.",
    "Being robust and deciding by outline are two things: a network can do one without the other.",
  ],
  tasks: [
    "Think of a photo where texture misleads. Draw it.",
    "Why did the conflict not occur in training? Would you have noticed it otherwise?",
  ],
  parts: {
    start: [
      "Two networks know ten drawn shapes: star, heart, crescent and so on. The plain one learned from clean scenes alone. The other one was trained with AdvProp, so it has two branches: **main** for clean scenes, **aux** for attacked ones.",
      "In training each shape always had its own texture: stars were striped, hearts dotted. So a network could learn “star” by its outline or by its stripes. Both give the right answer, and nobody can tell which it learned.",
      "Now we draw what never occurred: a shape in the texture of another. It is called a **cue conflict** (Geirhos and others, 2018), because the two hints disagree.",
    ],
    conflict: {
      question: "The plain network sees twenty such objects. What does it answer most often?",
      choices: [
        "The class of the texture",
        "The class of the outline",
        "A class that is neither of them",
      ],
      after: [
        "Look at some scenes, then press “Ask all 20”. The table counts how often each network answered by outline, by texture, or by neither.",
        "The plain network mostly decides by texture. AdvProp's branches decide by outline more often than the plain network. But on these scenes they also decide by texture a little more often than by outline.",
      ],
    },
    measured: [
      "Twenty scenes are few. On 500 such scenes, count only the answers by outline or texture. Of these, the plain network gave 39 % by outline, AdvProp's main 59 %, and its aux 65 %. This share is called **shape bias**. With other scenes it could be about 5 points higher or lower.",
      "Not every training with attacks does this. Fast AdvProp attacks only a fifth of its pictures. Its main is more robust than the plain network: it is right on 80 % of scenes attacked at 2/255, instead of 62 %. But its shape bias is only 24 %.",
    ],
    end: [
      "So attacked pictures can move a network from texture towards outline, but a robust network need not decide by outline. These figures are for drawn scenes and small networks. They do not say why.",
    ],
  },
  tests: {
    a: [
      {
        question:
          "A network is right on every picture in which each shape has its own texture. What does it decide by?",
        choices: ["These pictures cannot tell", "By the outline", "By the texture"],
        why: "There, outline and texture lead to the same answer.",
      },
      {
        question: "What did AdvProp's branches do on 500 scenes, beside the plain network?",
        choices: [
          "They decided by texture more often",
          "They decided by outline more often",
          "They did just the same",
        ],
        why: "Shape bias 59 and 65 % instead of 39 %.",
      },
    ],
    b: [
      {
        question:
          "Stars are striped and hearts are dotted. Which object tells whether a network decides by outline or by texture?",
        choices: ["A striped star", "A dotted heart", "A dotted star"],
        why: "Only there do the two disagree. “Star” means outline, “heart” means texture.",
      },
      {
        question:
          "AdvProp and Fast AdvProp both train with attacks. Which decided by outline more often than the plain network?",
        choices: ["Both of them", "AdvProp alone", "Fast AdvProp alone"],
        why: "Shape bias 59 and 65 % with AdvProp, 24 % with Fast AdvProp, 39 % for the plain one.",
      },
    ],
  },
} as const satisfies LessonWords;
