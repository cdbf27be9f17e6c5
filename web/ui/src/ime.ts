// The one composition guard. While an input method composes a syllable, Enter, Escape and the arrows belong to it. Safari ends
// the composition before it sends the Enter that ended it: there only keyCode 229 tells.

interface KeyLike {
  isComposing?: boolean;
  keyCode?: number;
}

export function composing(e: KeyLike | { nativeEvent: KeyLike }): boolean {
  const n: KeyLike = 'nativeEvent' in e ? e.nativeEvent : e;
  return n.isComposing === true || n.keyCode === 229;
}
