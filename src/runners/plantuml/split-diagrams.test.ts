import { expect, test } from 'vitest';
import { AppError } from '../../runtime/app-error.ts';
import { splitDiagrams } from './split-diagrams.ts';

test.each([
  ['@startuml', 'file'],
  ['@startuml login', 'login'],
  ['@startuml "two words"', 'two words'],
  ['@startuml login.png', 'login'],
  ['@startuml chapter/login', 'chapter/login'],
  ['@startuml ../../up', 'up'],
  ['@startuml(id=x)', 'file'],
  ['  @startmindmap plan', 'plan'],
])('%s names its diagram %s', (start, name) => {
  expect(splitDiagrams('folder/file.puml', `${start}\na\n@enduml`)).toMatchObject([{ name, firstLine: 1 }]);
});

test('what stands between diagrams is not part of them, and each knows its line', () => {
  const text = '\uFEFFa remark\r\n@startuml\r\na -> b\r\n@enduml\r\n\r\n@startuml\r\nc -> d\r\n@enduml\r\n';
  expect(splitDiagrams('f.puml', text)).toEqual([
    { name: 'f', unnamed: { stem: 'f', before: 0 }, text: '@startuml\na -> b\n@enduml', firstLine: 2 },
    { name: 'f_001', unnamed: { stem: 'f', before: 1 }, text: '@startuml\nc -> d\n@enduml', firstLine: 6 },
  ]);
});

test.each([
  ['no diagram', 'a -> b', 'no_diagram', ''],
  ['one that is not closed', 'x\n@startuml\na', 'diagram_not_closed', 'line 2'],
  ['one inside another', '@startuml\n@startuml\n@enduml', 'diagram_not_closed', 'line 1'],
  ['a line that speaks to the pipe', '@startuml\na\n@@@format png\n@enduml', 'reserved_line', 'line 3'],
  ['two of one name', '@startuml x\n@enduml\n@startuml X\n@enduml', 'duplicate_name', 'line 3'],
])('%s is refused, with its place', (_what, text, code, place) => {
  const refusal = (): unknown => splitDiagrams('f.puml', text);
  expect(refusal).toThrow(AppError);
  expect(refusal).toThrow(expect.objectContaining({ kind: 'user', code }));
  expect(refusal).toThrow(place);
});
