/**
 * Layer 9. The layers of a program, by their names. There is one called 'default', in memory,
 * unless the program adds another one of that name.
 */

import { didYouMean } from '../../core/nearest.ts'
import { InvalidArgumentError, InvalidStateError, show } from '../../errors.ts'
import { MemoryRelay } from '../../relay/memory-relay.ts'
import { Layer } from './layer.ts'

const layers = new Map<string, Layer>()

/** Makes a layer that was not added; undefined if there is none of that name. */
type Make = (name: string) => Layer | undefined

const inMemory: Make = name => (name === 'default' ? new Layer(new MemoryRelay(), name) : undefined)

const missing: { make: Make } = { make: inMemory }

/**
 * Says how missing layers are made, for workers, whose consumers are in other processes. Without an
 * argument it is as at first.
 */
export function makeLayersBy(make: Make = inMemory): void {
  missing.make = make
}

/**
 * Adds layers: envelopes find theirs by `layer_name`. Add 'default' before the first consumer
 * connects.
 *
 * Throws InvalidArgumentError for anything but a layer, InvalidStateError if the name is taken.
 */
export function add_layers(...added: readonly Layer[]): void {
  for (const each of added) {
    if (!(each instanceof Layer)) throw new InvalidArgumentError('add_layers', 'a Layer', each)
    if ((layers.get(each.name) ?? each) !== each)
      throw new InvalidStateError(
        'add_layers()',
        `${each.name} is taken`,
        'choose another name, or add it before the first consumer connects',
      )
    layers.set(each.name, each)
  }
}

/** The layer of that name. Throws InvalidArgumentError if there is none. */
export function get_layer(name = 'default'): Layer {
  const found = layers.get(name)
  if (found !== undefined) return found
  const made = missing.make(name)
  if (made === undefined)
    throw new InvalidArgumentError(
      `get_layer: there is no layer ${show(name)}; ${didYouMean(name, layers.keys())}`,
    )
  layers.set(name, made)
  return made
}

/** Resolves when all layers can be used. Rejects with a RelayError if one never can. */
export async function layersOpened(): Promise<void> {
  await Promise.all([...layers.values()].map(({ relay }) => relay.opened))
}

/** Closes the relays of all layers. Resolves when all that was sent has left. */
export async function closeLayers(): Promise<void> {
  await Promise.all([...layers.values()].map(({ relay }) => relay.close()))
}

/**
 * Forgets layers: for tests, which want new ones. A consumer that is connected stays in its own.
 * Their relays are not closed.
 */
export function remove_layers(...names: readonly string[]): void {
  for (const name of names) layers.delete(name)
}
