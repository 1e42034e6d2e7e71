// What must not compile: each line ends with the error that the compiler must find there.

import { Activations, ProblemError, type Activation, type Wish } from "innerjourney-activations";
import { useActivation } from "innerjourney-activations/react";

declare const client: Activations;
declare const activation: Activation;
declare const problem: ProblemError;

export const misspelt = activation.source === "gemeni"; // TS2367
export const notAState = activation.status === "failed"; // TS2367
export const notAReason = activation.fallback_reason === "quotas"; // TS2367
export const notThereYet = activation.step.title; // TS18047
export const noCategory = activation.step?.category_id === "dreams"; // TS2367
export const noGoal: Wish = { mood: 2 }; // TS2741
export const noNumber: Wish = { mood: "2", goal: "sova" }; // TS2322
export const unknownKey: Wish = { mood: 2, goal: "sova", colour: "red" }; // TS2353
export const noId = client.get(5); // TS2345
export const noPointer: string = problem.errors[0].field; // TS2339
export const noKey = useActivation(client, { wish: { mood: 2, goal: "sova" } }); // TS2345
export const noSuchState = useActivation(client, null).isLoading; // TS2339
