// A core-pva client that tells what it hears of a PV: its state, and whether it may be written.
//
// Arguments: names of PVs. Environment: EPICS_PVA_*. Prints one JSON line for each event; a line "NAME VALUE" of its input
// puts a number. Ends with its input.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import org.epics.pva.client.PVAChannel;
import org.epics.pva.client.PVAClient;

public class JavaRights {
  private static synchronized void tell(final String name, final String what, final String json) {
    System.out.println("{\"name\":\"" + name + "\",\"" + what + "\":" + json + "}");
  }

  private static String quoted(final String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + "\"";
  }

  public static void main(final String[] names) throws Exception {
    final PVAClient client = new PVAClient();
    final Map<String, PVAChannel> channels = new HashMap<>();
    for (final String name : names) {
      channels.put(
          name,
          client.getChannel(
              name,
              (channel, state) -> tell(name, "state", quoted(state.name())),
              (channel, isWritable) -> tell(name, "writable", String.valueOf(isWritable))));
    }
    final BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      final String[] words = line.split(" ");
      try {
        channels.get(words[0]).write("field(value)", Double.valueOf(words[1])).get(5, TimeUnit.SECONDS);
        tell(words[0], "put", "true");
      } catch (final ExecutionException ex) {
        tell(words[0], "refused", quoted(ex.getCause().getMessage()));
      }
    }
    System.exit(0);
  }
}
