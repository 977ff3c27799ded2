import { z } from 'zod';
import { fields } from '../../scenario/yaml-decode.ts';
import type { FaultKind } from '../fault.ts';
import { opaque } from './opaque-kind.ts';

/** Kinds and actions that clusters are given as they are written. Fields after Chaos Mesh's own types (api/v1alpha1, August 2026); a new one is added here when somebody has read whom it hits. */

/** A parameter whose shape is the cluster's to judge. */
const any = z.unknown();
const text = z.string({ error: 'must be text; put it in quotes' });
const texts = z.array(text);
const inContainers = { containerNames: texts };

const network = ['netem', 'delay', 'duplicate', 'corrupt', 'bandwidth'].map((action) =>
  opaque({
    kind: 'NetworkChaos',
    action,
    hasTarget: true,
    // externalTargets: what the selected pods send there, and nothing at the other end.
    parameters: {
      direction: text,
      device: text,
      targetDevice: text,
      externalTargets: texts,
      delay: any,
      loss: any,
      duplicate: any,
      corrupt: any,
      bandwidth: any,
      rate: any,
    },
  }),
);

const dns = ['error', 'random'].map((action) => opaque({ kind: 'DNSChaos', action, parameters: { ...inContainers, patterns: texts } }));

const io = ['latency', 'fault', 'attrOverride'].map((action) =>
  opaque({
    kind: 'IOChaos',
    action,
    parameters: { ...inContainers, volumePath: text, path: text, methods: texts, percent: any, delay: any, errno: any, attr: any },
    refused: { mistake: '`mistake` writes wrong data into the volume, which no heal takes back, and which others may share; remove it' },
  }),
);

const http = opaque({
  kind: 'HTTPChaos',
  action: '',
  parameters: {
    target: z.enum(['Request', 'Response']),
    port: any,
    path: any,
    method: any,
    code: any,
    request_headers: any,
    response_headers: any,
    abort: any,
    delay: any,
    replace: any,
    patch: any,
    // Whose secret is read is judged with the namespaces that are allowed (platform/kubernetes/allowed.ts).
    tls: fields({ secretName: text, secretNamespace: text, certName: text, keyName: text, caName: text.optional() }),
  },
});

/** What becomes a line of a Byteman rule: names and literals. Anything else would be a program that runs in the pod. */
const name = z.string().regex(/^[\w.$<>(), [\]-]*$/, 'must be a name: letters, digits and . $ < > ( ) [ ] , -');
const literal = z
  .string()
  .regex(
    /^(-?\d+(\.\d+)?|true|false|null|"[^"\\\p{Cc}\u2028\u2029]*")$/u,
    'must be a number, true, false, null or a text in double quotes',
  );
const exception = z
  .string()
  .regex(/^[\w.$]+\(("[^"\\\p{Cc}\u2028\u2029]*")?\)$/u, 'must be a class and a text: java.io.IOException("BOOM")');
const jvm = ['latency', 'return', 'exception', 'stress', 'gc', 'mysql'].map((action) =>
  opaque({
    kind: 'JVMChaos',
    action,
    parameters: {
      ...inContainers,
      port: any,
      pid: any,
      name,
      class: name,
      method: name,
      cpuCount: any,
      memType: name,
      mysqlConnectorVersion: name,
      database: name,
      table: name,
      sqlType: name,
      returnValue: literal,
      exception,
      latency: z.number(),
    },
    refused: { ruleData: '`ruleData` is a program, which may reach whatever the pod reaches; write one of the other actions' },
  }),
);

const STRESS_NG = 'goes to stress-ng as it is, which can do much more than take processors and memory of the pod; remove it';
const options = { options: `\`options\` ${STRESS_NG}` };
const workers = z.number();
/** With stress of memory; that of processors alone has an effect that probes see. */
const stressMemory = opaque({
  kind: 'StressChaos',
  action: '',
  takes: (spec) => typeof spec['stressors'] === 'object' && spec['stressors'] !== null && 'memory' in spec['stressors'],
  parameters: {
    ...inContainers,
    stressors: fields({
      memory: fields(
        {
          workers,
          size: text.optional(),
          oomScoreAdj: z.int().min(0, 'below 0 has the kernel end other programs of the node first').optional(),
        },
        options,
      ),
      cpu: fields({ workers, load: z.number().optional() }, options).optional(),
    }),
  },
  refused: { stressngStressors: `\`stressngStressors\` ${STRESS_NG}` },
});

export const opaqueKinds: readonly FaultKind[] = [...network, ...dns, ...io, http, ...jvm, stressMemory];
