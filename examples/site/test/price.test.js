import assert from 'node:assert/strict';
import { test } from 'node:test';
import { priceOf } from '../lib/price.js';

test('ten loaves cost ten loaves', () => {
  assert.equal(priceOf(10, 300), 3000);
});

test('the eleventh loaf is free', () => {
  assert.equal(priceOf(11, 300), 3000);
});
