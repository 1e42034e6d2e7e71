// Compiles only while the types say what /openapi.json says (schema.d.ts, by openapi-typescript),
// and what activations.js and react.mjs do (copies of them, beside which no .d.ts stands).

import type * as client from "innerjourney-activations";
import type { useActivation } from "innerjourney-activations/react";

import type * as implementation from "./implementation.js";
import type * as hook from "./hook.mjs";
import type { components } from "./schema.d.ts";

type Documented = components["schemas"];
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type AsDocumented<A, B> = Same<Plain<A>, Plain<B>>;

export const same: true[] = [
  true satisfies AsDocumented<client.Wish, Documented["ActivationRequest"]>,
  true satisfies AsDocumented<client.Profile, Documented["Profile"]>,
  true satisfies AsDocumented<client.Step, Documented["Step"]>,
  true satisfies AsDocumented<client.Attempt, Documented["Attempt"]>,
  true satisfies AsDocumented<client.Usage, Documented["Usage"]>,
  true satisfies AsDocumented<client.Activation, Documented["Representation"]>,
  true satisfies AsDocumented<client.ActivationPage, Documented["ActivationPage"]>,
  true satisfies AsDocumented<client.ActivationResponse, Documented["ActivationResponse"]>,
  true satisfies AsDocumented<client.InvalidPart, Documented["InvalidPart"]>,
  true satisfies Same<keyof client.Activations, keyof implementation.Activations>,
  true satisfies Same<keyof client.ProblemError, keyof implementation.ProblemError>,
];

declare const real: typeof implementation;
export const implemented: Pick<typeof client, keyof typeof client> = real;
export const hooked: typeof useActivation = {} as typeof hook.useActivation;
