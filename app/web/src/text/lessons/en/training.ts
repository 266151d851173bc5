import type { LessonWords } from "../shape";

export const training = {
  title: "Adversarial training, and what it costs",
  about: "A model that is attacked while it learns is harder to fool. You see what that costs.",
  inShort: [
    "Adversarial training attacks the network as it is now, in every step, and lets it learn from the result.",
    "The digits' model is then right on 87 % of the attacked digits instead of 4 %.",
    "The cost: on clean digits it is right on 98 % instead of all.",
    "The same was measured on photos: 91.1 % instead of 92.8 % right on clean ones, over five runs.",
  ],
  tasks: [
    "Would you use the robust model in a machine that reads letters? In one that opens a door? Say why.",
    "The robust model uses only a few pixels. Explain why that makes FGSM weaker.",
  ],
  parts: {
    start: [
      "FGSM is the attack in one step that fooled the digits' model in lesson 2. The oldest answer to it is to show the model attacked digits while it learns. In each step the attack is made against the model **as it is now**. This is called **adversarial training**.",
      "Here are two models of digits. “Natural” is the model of lesson 2. “Robust” learned from digits attacked at ε = 0.25: a pixel moves by at most a quarter of the way from white to black. **Robust** means hard to fool.",
    ],
    robust: {
      question:
        "FGSM at 0.25 left the natural model right on 4 % of 121 digits. Now the robust model is attacked in the same way, with its own gradient. On how many is it right?",
      choices: ["On about as few", "On most, but not on all", "On all"],
      after: [
        "It is right on 87 %. Look at its weights, the third picture: most are white, and white is 0. FGSM can use a pixel only through its weight. So the robust model learned to need few of them.",
        "Choose “Natural” above the pictures to see the other model. The attack then follows that one's weights.",
      ],
    },
    errors: [
      "Here are both models at every strength. Look at the left end, too: ε = 0 is no attack.",
    ],
    cost: [
      "Without an attack the natural model is right on all digits, and the robust one on 98 %. Some pixels help on clean digits, but an attack can turn them against the model. The robust model gave these up. That is the cost.",
      "Photos show the same. This project trained a network for ten kinds of photos in two ways, five times each. When it learned from clean photos, it was right on 92.8 % of clean photos and on 2.0 % of photos attacked at 1/255. When it learned from attacked photos alone, it was right on 91.1 % and on 27.7 %.",
      "Is this cost chance? Each run differs a little. Five runs say that it lies between 1.1 and 2.4 of 100 clean photos. This is a **95 % interval**: of 100 such intervals, 95 contain the true number. A cost of 0 is outside this interval.",
      "Can one have both? Some networks see clean **and** attacked pictures in training. Next are two networks for drawn scenes. The first saw clean scenes alone. The second saw both kinds.",
    ],
    scenes: {
      question:
        "For each network the crescent is attacked at 2/255, with that network's own gradient. Which network is fooled?",
      choices: [
        "Both are fooled",
        "The one that saw both kinds",
        "The one that saw clean scenes alone",
      ],
      after: [
        "Move the slider to 4: now the second network is fooled, too. A network is robust up to some strength, never against every attack.",
      ],
    },
    end: [
      "The second network was trained with **AdvProp**. It is right on 99.8 % of clean scenes, and the first on 98.8 % (2000 scenes). So here being robust cost nothing. How AdvProp does that is in the next two lessons.",
    ],
  },
  tests: {
    a: [
      {
        question:
          "Adversarial training has run for an hour. Against which network is the next attacked picture made?",
        choices: [
          "Against the network as it was at the start",
          "Against the network as it is now",
          "Against another network, kept for attacks",
        ],
        why: "The network changes in every step, and so does the attack that is worst for it.",
      },
      {
        question:
          "A network learned from attacked photos alone. How did it do on clean photos, beside one that learned from clean ones?",
        choices: ["A little worse", "Just as well", "Far worse"],
        why: "91.1 % instead of 92.8 %. The cost is small, and its interval does not contain 0.",
      },
    ],
    b: [
      {
        question: "When are the attacked pictures of adversarial training made?",
        choices: ["Once, before training", "Once, half-way through", "Anew in every step"],
        why: "The network changes in every step, and so does the attack that is worst for it.",
      },
      {
        question:
          "How did the robust model of digits do on clean digits, beside the natural model?",
        choices: ["A little better", "A little worse", "Just as well"],
        why: "98 % instead of all: it gave up pixels that an attack can use.",
      },
    ],
  },
} as const satisfies LessonWords;
