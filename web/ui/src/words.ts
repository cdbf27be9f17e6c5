/** Whether a name holds every part of a search, in any order: "geo dest" finds destination.geo.city. */
export function matchesParts(name: string, search: string): boolean {
  const low = name.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((part) => low.includes(part));
}
