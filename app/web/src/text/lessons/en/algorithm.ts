import type { LessonWords } from "../shape";

export const algorithm = {
  title: "AdvProp's algorithm, step by step",
  about: "You go through one training step of AdvProp on one picture, part by part.",
  inShort: [
    "1. Take a clean picture. 2. Attack it through aux. 3. The clean one goes through main: a loss.",
    "4. The attacked one goes through aux: a second loss. 5. Add both. 6. Move all weights a little, so that the sum gets smaller.",
    "Shared weights learn from both pictures. Each set of norm layers learns from its own kind alone.",
    "When training is over, the paper uses main alone. aux is left out.",
  ],
  tasks: [
    "What would go wrong if the attack were made through main and then shown to aux?",
    "An AdvProp step takes much longer than a plain step. Where does the time go?",
  ],
  parts: {
    start: [
      "Lesson 4 gave a network two sets of norm layers. Through the first set it is its branch **main**, for clean pictures. Through the second set it is its branch **aux**, for attacked ones. All other weights are shared.",
      "Training makes a **loss** smaller. A loss is a number for how wrong an answer is. It is 0 where the right class gets 100 %, and it grows as that share falls.",
      "Here is one step of training, on a network that has already learned. So the losses are small. Press the button for each part.",
    ],
    steps: [
      "The network in this page computes the attack and both losses, now. The page only describes the last part: this network does not change.",
    ],
    through: {
      question:
        "A picture is attacked twice, at the same strength: once through **main**, with the gradient of main, and once through **aux**. Which attack harms **main** more?",
      choices: ["The one through aux", "The one through main", "Both harm it equally"],
      after: [
        "Switch “Attack through”, and watch one branch at a time. The crescent's share in **main** falls lower when the attack is made through main. In **aux** it falls lower when it is made through aux. Each branch is harmed most by the attack that is made through itself.",
        "That is why AdvProp attacks through aux: aux learns from the attacked pictures, so they must be hard for aux.",
        "Measured on 300 photos at 4/255, with a network for ten kinds of photos: main is right on 34 % when the attack is made through main, and on 74 % when it is made through aux.",
      ],
    },
    result: [
      "When training is over, **aux** has done its work. The paper leaves it out and uses **main** alone, because photos in use are clean, and main's norm layers fit clean photos.",
      "Does it help? The authors say yes for large networks. Their largest here, EfficientNet-B7, goes up by 0.7 points to 85.2 % on ImageNet, a collection of photos of 1000 kinds. A point is one photo in 100. On photos with noise, blur or fog a score of errors, where less is better, falls from 59.4 to 52.9.",
      "This project asked again with small networks, in twelve settings with five runs each. The 95 % intervals are in brackets. On clean photos main gains 0.0 points (−0.4 to +0.3), so we see no gain. With noise it gains 2.7 points (1.4 to 3.9), and under attack 13.5 (11.1 to 16.0). Small networks are not large ones, so this does not refute the paper.",
    ],
  },
  tests: {
    a: [
      {
        question: "Through which branch does AdvProp make its attacked pictures in training?",
        choices: ["Through main", "Through aux", "Through both by turns"],
        why: "aux learns from them, so they are made to be hard for aux.",
      },
      {
        question: "Which two losses does one AdvProp step add?",
        choices: [
          "That of main on the attacked picture, that of aux on the clean one",
          "That of main on the clean picture, that of main on the attacked one",
          "That of main on the clean picture, that of aux on the attacked one",
        ],
        why: "Each branch answers for its own kind of picture, and both losses are added.",
      },
    ],
    b: [
      {
        question: "An AdvProp step attacks a picture. For which branch is it made to be hard?",
        choices: ["For aux", "For main", "For both alike"],
        why: "aux is shown the attacked picture, so the attack is made through aux.",
      },
      {
        question: "In an AdvProp step, whose loss on the clean picture counts?",
        choices: ["That of aux alone", "That of main alone", "That of both branches"],
        why: "main learns from clean pictures, and aux from attacked ones.",
      },
    ],
  },
} as const satisfies LessonWords;
