package wsprovider.live;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Command "rampart-call": by a client of its own, or by one that lives on under a name with its conversation. */
final class Sessions {
    private final Axis2 axis2;
    private final Map<String, EchoClient> clients = new ConcurrentHashMap<>();

    Sessions(Axis2 axis2) {
        this.axis2 = axis2;
    }

    Map<String, Object> call(CallSpec spec) throws Exception {
        if (spec.session() == null) {
            try (EchoClient client = new EchoClient(axis2, spec)) {
                return client.run(spec);
            }
        }
        EchoClient client = named(spec);
        try {
            return client.run(spec);
        } finally {
            if (spec.endSession()) {
                clients.remove(spec.session());
                client.close();
            }
        }
    }

    private synchronized EchoClient named(CallSpec spec) throws Exception {
        EchoClient client = clients.get(spec.session());
        if (client == null) {
            client = new EchoClient(axis2, spec);
            clients.put(spec.session(), client);
        }
        return client;
    }
}
