import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { composing } from '../src/ime';
import { QueryBar } from '../src/kit/querybar';

describe('the composition guard', () => {
  it('holds while a syllable is composed', () => expect(composing({ isComposing: true, keyCode: 13 })).toBe(true));
  it('holds for the Enter that Safari sends after the end', () =>
    expect(composing({ isComposing: false, keyCode: 229 })).toBe(true));
  it('lets a plain Enter through', () => expect(composing({ isComposing: false, keyCode: 13 })).toBe(false));
  it('reads events of React', () => expect(composing({ nativeEvent: { keyCode: 229 } })).toBe(true));
});

describe('the query bar', () => {
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
  });

  function bar() {
    vi.stubGlobal('fetch', () => Promise.reject(new Error('no server in this test')));
    const run = vi.fn();
    render(<QueryBar text="" lang="kql" index="logs-*" onRun={run} />);
    const area = screen.getByRole('textbox');
    fireEvent.change(area, { target: { value: '결제 실패' } });
    return { area, run };
  }

  it('does not run while Korean is composed', () => {
    const { area, run } = bar();
    fireEvent.keyDown(area, { key: 'Enter', keyCode: 229 });
    fireEvent.keyDown(area, { key: 'Enter', keyCode: 13, isComposing: true });
    expect(run).not.toHaveBeenCalled();
  });

  it('runs the whole text at the Enter after it', () => {
    const { area, run } = bar();
    fireEvent.keyDown(area, { key: 'Enter', keyCode: 13 });
    expect(run).toHaveBeenCalledWith('결제 실패');
  });

  it('takes a new line with shift', () => {
    const { area, run } = bar();
    fireEvent.keyDown(area, { key: 'Enter', keyCode: 13, shiftKey: true });
    expect(run).not.toHaveBeenCalled();
  });
});
