import { useSearch } from 'wouter';

/** The address's query string as it stands: the router's own is decoded once already, so that an escaped % or colon would be lost. */
export function useRawSearch(): string {
  useSearch();
  return location.search;
}
