// How do the options of a monitor become part of its pvRequest, where servers look for them?

import { LocalProtocolError } from '../protocol/errors.ts';
import type { Limits } from '../protocol/limits.ts';
import { parsePvRequest, withRecordOptions, type PvRequest } from '../protocol/pv-request.ts';
import { recordOptions } from '../protocol/pv-request/record-options.ts';
import type { MonitorOptions } from './monitor.ts';

/**
 * The request with the options that were given beside it; all tools send these as text.
 * @throws LocalProtocolError when one of them cannot be used
 */
export function monitorRequest(
  request: PvRequest,
  { queueSize, pipeline, ackAny }: MonitorOptions,
  limits: Limits,
): PvRequest {
  if (queueSize !== undefined && queueSize > limits.maxMonitorQueue) {
    throw new LocalProtocolError(
      `queueSize ${queueSize} is more than maxMonitorQueue allows, ${limits.maxMonitorQueue}`,
    );
  }
  const texts = {
    ...(queueSize === undefined ? {} : { queueSize: String(queueSize) }),
    ...(pipeline === undefined ? {} : { pipeline: String(pipeline) }),
    ...(ackAny === undefined ? {} : { ackAny: String(ackAny) }),
  };
  if (Object.keys(texts).length === 0) return request;
  const { notices } = recordOptions(withRecordOptions(parsePvRequest(''), texts), limits);
  if (notices.length > 0) throw new LocalProtocolError(notices.join('; '));
  return withRecordOptions(request, texts);
}
