import { expect, test } from 'vitest';
import { checkIncludes } from './check-includes.ts';

const check =
  (file: string, line: string, strict = false) =>
  (): void => {
    checkIncludes(
      file,
      { name: 'x', text: `@startuml\n${line}\n@enduml`, unnamed: null, firstLine: 5 },
      { strict },
    );
  };

test.each([
  ['a.puml', '!include near.iuml'],
  ['a.puml', '!include ./parts/near.iuml!2'],
  ['deep/a.puml', '!include ../near.iuml'],
  ['a.puml', '!include <awslib/AWSCommon>'],
  ['a.puml', "' !include http://is.a/comment"],
  ['a.puml', '!include $where'],
])('%s may say %s', (file, line) => {
  expect(check(file, line)).not.toThrow();
});

test.each([
  ['a.puml', '!include http://example.org/x'],
  ['a.puml', '!includeurl https://example.org/x'],
  ['a.puml', '!include file:///etc/passwd'],
  ['a.puml', '!include /etc/passwd'],
  ['a.puml', '!include "../secret"'],
  ['deep/a.puml', '!include ../../secret'],
  ['a.puml', '!import ~/secret.zip'],
  ['a.puml', '!include C:\\secret'],
])('%s may not say %s', (file, line) => {
  expect(check(file, line)).toThrow(expect.objectContaining({ kind: 'user', code: 'include_refused' }));
  expect(check(file, line)).toThrow('line 6');
});

test('where there is no jail, a path that only the tool can work out is refused too', () => {
  expect(check('a.puml', '!include $where', true)).toThrow('without namespaces');
});
