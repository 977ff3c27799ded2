import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { fields } from '../../scenario/yaml-decode.ts';
import { templatesShape } from '../../workload/dialect/template-shape.ts';
import { readSystem, readSystemDocument } from '../system-document.ts';
import type { OwnService } from '../platform.ts';

const clientName = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'must be lower-case letters, digits and dashes');

const baseUrl = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  const ok = url !== null && ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && url.search + url.hash === '';
  if (!ok || url.username !== '' || url.password !== '')
    context.addIssue({
      code: 'custom',
      message: 'must be http://HOST:PORT or https://HOST:PORT; paths are in `ledger`, credentials in `headers` or `tls`',
    });
});

const textOf = (value: string | { readonly file: string }): string =>
  typeof value === 'string' ? value : readFileSync(value.file, 'utf8').trim();

/** Of a description in this folder; paths in it are relative to it. */
export function serviceShapeIn(folder: string): z.ZodType<OwnService> {
  const file = z
    .string()
    .min(1)
    .transform((name) => path.resolve(folder, name))
    .refine(
      (name) => statSync(name, { throwIfNoEntry: false })?.isFile() === true,
      'there is no such file (paths are relative to this one)',
    );
  const header = z
    .union([z.string(), fields({ file })], { error: 'must be text, or {file: PATH} for what is secret' })
    .transform(textOf)
    .refine((text) => /^[\t -~]*$/.test(text), 'has a line break, or what is no ASCII, which no header may have');
  return fields({
    clients: z
      .record(clientName, baseUrl)
      .refine((all) => Object.keys(all).length > 0, 'is empty; name each client and the URL that it uses'),
    ledger: templatesShape,
    headers: z
      .record(
        z
          .string()
          .regex(
            /^(?!(content-length|content-type|transfer-encoding|connection)$)[a-z0-9-]+$/i,
            'is no name of a header that can be given',
          ),
        header,
      )
      .default({}),
    tls: fields({ ca: file.optional(), cert: file.optional(), key: file.optional() })
      .refine(({ cert, key }) => (cert === undefined) === (key === undefined), 'has one of `cert` and `key`; give both or none')
      .default({}),
  })
    .superRefine(({ clients, tls }, context) => {
      if (Object.keys(tls).length === 0) return;
      for (const client of Object.keys(clients).filter((one) => URL.parse(clients[one] ?? '')?.protocol === 'http:'))
        context.addIssue({
          code: 'custom',
          path: ['clients', client],
          message: 'is http://, where `tls` is passed over and everything goes in the clear; write https://, or leave `tls` out',
        });
    })
    .transform(({ clients, ledger, headers, tls: { ca, cert, key } }) => ({
      clients,
      ledger,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      tls: { ...(ca === undefined ? {} : { ca }), ...(cert === undefined || key === undefined ? {} : { cert, key }) },
    }));
}

/** Whether a description of a system names a service and no clusters: it can be measured, and not harmed. Throws HarnessError `bad-input` where it cannot be read. */
export function namesService(file: string): boolean {
  const document = readSystemDocument(file);
  return document.has(['service']) && !document.has(['kubeconfig']);
}

/** Throws HarnessError `bad-input` with every problem and its place. */
export function readServiceFile(file: string): OwnService {
  return readSystem(file, fields({ service: serviceShapeIn(path.dirname(file)) })).service;
}
