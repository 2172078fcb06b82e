/**
 * A failure as Flink's clients need it: class, stack trace, and a `SerializedThrowable` in Java's own
 * serialization. Without that last one they ask again for ever. Pure.
 */
import type { FailureInfo } from '../../../contract/outcome.ts';

/** `failure-cause` of an asynchronous operation and of the result of a job. */
export interface FailureCause {
  readonly class: string;
  readonly 'stack-trace': string;
  readonly 'serialized-throwable': string;
}

/**
 * A `SerializedThrowable` without the exception that it stands for, so that its reader uses the texts. They
 * stand at `@MSG@`, `@STK@` and `@CLS@`, each as
 *
 *     text  := 0x74 length bytes | 0x7c longLength bytes
 */
const template = Buffer.from(
  'rO0ABXNyAClvcmcuYXBhY2hlLmZsaW5rLnV0aWwuU2VyaWFsaXplZFRocm93YWJsZWUWnfUfpxPzAgADTAAZZnVsbFN0cmluZ2lm' +
    'aWVkU3RhY2tUcmFjZXQAEkxqYXZhL2xhbmcvU3RyaW5nO0wAFm9yaWdpbmFsRXJyb3JDbGFzc05hbWVxAH4AAVsAE3NlcmlhbGl6' +
    'ZWRFeGNlcHRpb250AAJbQnhyABNqYXZhLmxhbmcuRXhjZXB0aW9u0P0fPho7HMQCAAB4cgATamF2YS5sYW5nLlRocm93YWJsZdXG' +
    'NSc5d7jLAwAETAAFY2F1c2V0ABVMamF2YS9sYW5nL1Rocm93YWJsZTtMAA1kZXRhaWxNZXNzYWdlcQB+AAFbAApzdGFja1RyYWNl' +
    'dAAeW0xqYXZhL2xhbmcvU3RhY2tUcmFjZUVsZW1lbnQ7TAAUc3VwcHJlc3NlZEV4Y2VwdGlvbnN0ABBMamF2YS91dGlsL0xpc3Q7' +
    'eHBwdAAFQE1TR0B1cgAeW0xqYXZhLmxhbmcuU3RhY2tUcmFjZUVsZW1lbnQ7AkYqPDz9IjkCAAB4cAAAAABzcgAfamF2YS51dGls' +
    'LkNvbGxlY3Rpb25zJEVtcHR5TGlzdHq4F7Q8p57eAgAAeHB4dAAFQFNUS0B0AAVAQ0xTQHVyAAJbQqzzF/gGCFTgAgAAeHAAAAAA',
  'base64',
);

/** @param javaClass the class of the exception, as a Java program would know it. */
export function failureCause(javaClass: string, message: string, stack: string): FailureCause {
  const texts: Readonly<Record<string, string>> = {
    '@MSG@': message,
    '@STK@': stack,
    '@CLS@': javaClass,
  };
  const parts: Buffer[] = [];
  let from = 0;
  for (const [mark, text] of Object.entries(texts)) {
    const field = javaText(mark);
    const at = template.indexOf(field, from);
    parts.push(template.subarray(from, at), javaText(text));
    from = at + field.length;
  }
  parts.push(template.subarray(from));
  return {
    class: javaClass,
    'stack-trace': stack,
    'serialized-throwable': Buffer.concat(parts).toString('base64'),
  };
}

/** A failure of user code or of the cluster. */
export function causeOf({ message, stack }: FailureInfo): FailureCause {
  return failureCause('org.apache.flink.runtime.JobException', message, stack ?? message);
}

const TC_STRING = 0x74;
const TC_LONGSTRING = 0x7c;

function javaText(text: string): Buffer {
  const bytes = modifiedUtf8(text);
  const head = Buffer.alloc(bytes.length > 0xffff ? 9 : 3);
  if (bytes.length > 0xffff) {
    head.writeUInt8(TC_LONGSTRING);
    head.writeBigUInt64BE(BigInt(bytes.length), 1);
  } else {
    head.writeUInt8(TC_STRING);
    head.writeUInt16BE(bytes.length, 1);
  }
  return Buffer.concat([head, bytes]);
}

/** Java's: every UTF-16 unit by itself, 0 as two bytes. */
function modifiedUtf8(text: string): Buffer {
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 1 && unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else {
      bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
    }
  }
  return Buffer.from(bytes);
}
