// A core-pva server (the implementation of Phoebus) with a few PVs for pvkit's client to read, write, watch and call.
//
// Environment: EPICS_PVAS_*, and EPICS_PVA_SERVER_PORT for TCP. Prints one JSON line when it serves, ends with its input.

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.epics.pva.data.PVABool;
import org.epics.pva.data.PVAByte;
import org.epics.pva.data.PVAData;
import org.epics.pva.data.PVADouble;
import org.epics.pva.data.PVADoubleArray;
import org.epics.pva.data.PVAFloat;
import org.epics.pva.data.PVAInt;
import org.epics.pva.data.PVAIntArray;
import org.epics.pva.data.PVALong;
import org.epics.pva.data.PVALongArray;
import org.epics.pva.data.PVAShort;
import org.epics.pva.data.PVAString;
import org.epics.pva.data.PVAStringArray;
import org.epics.pva.data.PVAStructure;
import org.epics.pva.data.PVAStructureArray;
import org.epics.pva.data.PVAUnion;
import org.epics.pva.data.PVAny;
import org.epics.pva.data.nt.PVAEnum;
import org.epics.pva.data.nt.PVATimeStamp;
import org.epics.pva.server.PVAServer;
import org.epics.pva.server.ServerPV;

public class JavaServer {
  private static final List<String> names = new ArrayList<>();

  private static PVAStructure scalar(final String id, final PVAData value) {
    return new PVAStructure(
        "",
        id,
        value,
        new PVAStructure(
            "alarm", "alarm_t", new PVAInt("severity", 0), new PVAInt("status", 0), new PVAString("message", "")),
        new PVATimeStamp(Instant.ofEpochSecond(1_700_000_000L, 123_456_789L)));
  }

  private static PVAStructure ntScalar(final PVAData value) {
    return scalar("epics:nt/NTScalar:1.0", value);
  }

  private static PVAStructure ntArray(final PVAData value) {
    return scalar("epics:nt/NTScalarArray:1.0", value);
  }

  /** A PV that takes every put. */
  private static void mailbox(final PVAServer server, final String name, final PVAStructure data) {
    names.add(name);
    server.createPV(
        name,
        data,
        (tcp, pv, changes, written) -> {
          if (written.get("timeStamp") != null) PVATimeStamp.set(written, Instant.now());
          pv.update(written);
        });
  }

  public static void main(final String[] args) throws Exception {
    final PVAServer server = new PVAServer();
    mailbox(server, "java:boolean", ntScalar(new PVABool("value", true)));
    mailbox(server, "java:byte", ntScalar(new PVAByte("value", false, (byte) -128)));
    mailbox(server, "java:ubyte", ntScalar(new PVAByte("value", true, (byte) 255)));
    mailbox(server, "java:short", ntScalar(new PVAShort("value", false, (short) -32768)));
    mailbox(server, "java:ushort", ntScalar(new PVAShort("value", true, (short) 65535)));
    mailbox(server, "java:int", ntScalar(new PVAInt("value", -2_147_483_648)));
    mailbox(server, "java:uint", ntScalar(new PVAInt("value", true, -1)));
    mailbox(server, "java:long", ntScalar(new PVALong("value", false, Long.MIN_VALUE)));
    mailbox(server, "java:ulong", ntScalar(new PVALong("value", true, -1)));
    mailbox(server, "java:float", ntScalar(new PVAFloat("value", 1.5f)));
    mailbox(server, "java:double", ntScalar(new PVADouble("value", 6.02e23)));
    mailbox(server, "java:string", ntScalar(new PVAString("value", "Grüße, κόσμε")));

    final double[] halves = new double[5_000];
    for (int i = 0; i < halves.length; ++i) halves[i] = 0.5 * i;
    mailbox(server, "java:doubles", ntArray(new PVADoubleArray("value", halves)));
    mailbox(server, "java:longs", ntArray(new PVALongArray("value", false, Long.MIN_VALUE, 0, Long.MAX_VALUE)));
    mailbox(server, "java:ints", ntArray(new PVAIntArray("value", false, -1, 0, 1)));
    mailbox(server, "java:strings", ntArray(new PVAStringArray("value", "one", "", "three")));
    mailbox(
        server,
        "java:enum",
        scalar("epics:nt/NTEnum:1.0", new PVAEnum("value", 1, new String[] {"Off", "On", "Fault"})));

    final PVAStructure row =
        new PVAStructure("", "row_t", new PVAInt("x", 1), new PVAString("label", "one"));
    mailbox(
        server,
        "java:odd",
        new PVAStructure(
            "",
            "odd_t",
            new PVAny("any", new PVAInt("any", 7)),
            new PVAUnion("choice", "", 1, new PVADouble("number", 0), new PVAString("text", "chosen")),
            new PVAStructureArray(
                "rows",
                row.cloneType(""),
                row,
                new PVAStructure("", "row_t", new PVAInt("x", 2), new PVAString("label", "two"))),
            new PVAStructure(
                "inner",
                "inner_t",
                new PVABool("flag", true),
                new PVAStructure("deep", "", new PVALong("leaf", false, 1L << 62)))));

    names.add("java:readonly");
    server.createPV("java:readonly", ntScalar(new PVADouble("value", 2.5)));
    names.add("java:picky");
    server.createPV(
        "java:picky",
        ntScalar(new PVADouble("value", 1)),
        (tcp, pv, changes, written) -> {
          final PVADouble value = written.get("value");
          if (value.get() > 100) throw new Exception("more than 100 is too much");
          pv.update(written);
        });

    names.add("java:add");
    server.createPV(
        "java:add",
        parameters -> {
          final PVAData lhs = parameters.locate("query.lhs");
          final PVAData rhs = parameters.locate("query.rhs");
          return ntScalar(new PVADouble("value", number(lhs) + number(rhs)));
        });

    names.add("java:counter");
    final PVALong count = new PVALong("value", false, 0);
    final PVAStructure counting = ntScalar(count);
    final ServerPV counter = server.createPV("java:counter", counting);
    final Thread ticker =
        new Thread(
            () -> {
              try {
                for (; ; ) {
                  TimeUnit.MILLISECONDS.sleep(50);
                  count.set(count.get() + 1);
                  PVATimeStamp.set(counting, Instant.now());
                  counter.update(counting);
                }
              } catch (final Exception stopped) {
                // The process is about to end.
              }
            });
    ticker.setDaemon(true);
    ticker.start();

    System.out.println(
        "{\"ready\": true, \"tcpPort\": "
            + server.getTCPAddress(false).getPort()
            + ", \"names\": [\""
            + String.join("\", \"", names)
            + "\"]}");
    // The test ends this process by closing its input.
    while (System.in.read() >= 0) {}
    System.exit(0);
  }

  private static double number(final PVAData value) throws Exception {
    if (value instanceof PVADouble number) return number.get();
    if (value instanceof PVAString text) return Double.parseDouble(text.get());
    throw new Exception("cannot add a " + value.getType());
  }
}
