export default function Palette(_: { onClose(): void; onHelp(): void }) {
  return null;
}
