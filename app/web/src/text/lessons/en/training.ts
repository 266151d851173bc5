import type { LessonWords } from "../shape";

export const training = {
  title: "Adversarial training, and what it costs",
  about: "A model that is attacked while it learns holds better. You see what it pays for that.",
  inShort: [
    "Adversarial training attacks the network as it is now, in every step, and lets it learn from the result.",
    "The digits' model then holds 87 % of the attacked digits instead of 4 %.",
    "It pays with clean digits: 98 % right instead of all.",
    "The same was measured on photos: 91.1 % instead of 92.8 % right on clean ones, over five runs.",
  ],
  tasks: [
    "Would you use the robust model in a machine that reads letters? In one that opens a door? Say why.",
    "The robust model uses only a few pixels. Explain why that makes FGSM weaker.",
  ],
  parts: {
    start: [
      "In lesson 2 the digits' model lost nearly everything to FGSM. Here is the oldest answer: show it attacked digits while it learns. In each step the attack is made against the model **as it is now**. This is called **adversarial training**.",
      "“Natural” is the model of lesson 2. “Robust” learned from digits attacked at ε = 0.25.",
    ],
    robust: {
      question:
        "The same attack, FGSM at 0.25, now goes through the robust model. On how many of the 121 digits is it right?",
      choices: ["On about as few: 4 %", "On most: about 87 %", "On all"],
      after: [
        "Look at its weights. Nearly all are 0. FGSM takes away ε times the sizes of all weights, added up. So the model learned to do with few.",
      ],
    },
    errors: ["Here are both models at every strength. Look at the very left, at ε = 0, too."],
    cost: [
      "At the left, the natural model is right on all digits, and the robust one on 98 %. The robust model gave up pixels that help on clean digits, because an attack can turn them against it. That is the cost.",
      "Photos show the same. This project trained a network for ten kinds of photos five times, once plainly and once on attacked photos alone (ε = 1/255). Plainly, it was right on 92.8 % of clean photos and on 2.0 % of photos attacked at 1/255. Adversarially, it was right on 91.1 % and 27.7 %. The loss of 1.8 points on clean photos is more than chance: its 95 % interval goes from 1.1 to 2.4.",
      "Can one have both? Some networks see clean **and** attacked pictures in training. The next live part has two networks for drawn scenes. The left one saw clean scenes alone. The right one saw both kinds.",
    ],
    scenes: {
      question:
        "Both networks are attacked at 2/255, each through itself. The scene is a crescent. Who is fooled?",
      choices: [
        "Both are fooled",
        "The one that saw both kinds",
        "The one that saw clean scenes alone",
      ],
      after: [
        "Go up to 4/255 and on: being robust has an end. A network is robust against attacks of a strength, never against all.",
      ],
    },
    end: [
      "The right network is trained with **AdvProp**. It saw attacked scenes and is right on 99.8 % of clean ones. The plain one is right on 98.8 % (2000 scenes). So here it pays nothing. How it does that is the next two lessons.",
    ],
  },
  tests: {
    a: [
      {
        question: "What is adversarial training?",
        choices: [
          "Training on more photos",
          "Training on pictures that are attacked in every step",
          "Training after bad pixels were removed",
        ],
        why: "The attack is part of every training step.",
      },
      {
        question:
          "A network for photos was trained on attacked photos alone. What did that cost here?",
        choices: [
          "A few right answers on clean photos",
          "Nothing",
          "All right answers on clean photos",
        ],
        why: "91.1 % instead of 92.8 %: 1.8 points, with an interval from 1.1 to 2.4.",
      },
    ],
    b: [
      {
        question: "Where do the attacked pictures of adversarial training come from?",
        choices: [
          "Somebody collects them beforehand",
          "They are made once, before training",
          "They are made anew against the network as it is now",
        ],
        why: "The network changes in every step, and so does the attack that is worst for it.",
      },
      {
        question:
          "How did the robust model of digits do on clean digits, beside the natural model?",
        choices: ["Better", "A little worse", "Equally, to the last digit"],
        why: "98 % instead of all: it gave up pixels that an attack can use.",
      },
    ],
  },
} as const satisfies LessonWords;
