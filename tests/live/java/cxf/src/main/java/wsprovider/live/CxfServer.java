package wsprovider.live;

import com.google.gson.JsonObject;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.cxf.Bus;
import org.apache.cxf.BusFactory;
import org.apache.cxf.configuration.jsse.TLSServerParameters;
import org.apache.cxf.feature.Feature;
import org.apache.cxf.jaxws.JaxWsServerFactoryBean;
import org.apache.cxf.rt.security.SecurityConstants;
import org.apache.cxf.transport.http_jetty.JettyHTTPServerEngineFactory;
import org.apache.cxf.ws.policy.PolicyEngine;

/** Command "cxf-server": an echo service by CXF on a loopback port, there until the driver ends. */
final class CxfServer implements Command {
    @Override
    public JsonObject run(Request request) throws Exception {
        KeyMaterial material = KeyMaterial.ofService(request);
        boolean tls = request.flag("tls", false);
        int port = request.number("port", 0);
        if (port == 0) {
            port = freePort();
        }
        String url = (tls ? "https" : "http") + "://127.0.0.1:" + port + "/echo";
        Bus bus = BusFactory.newInstance().createBus();
        BusFactory.setThreadDefaultBus(bus);
        try {
            bus.getExtension(PolicyEngine.class).setEnabled(true);
            if (tls) {
                TLSServerParameters parameters = new TLSServerParameters();
                parameters.setKeyManagers(material.keyManagers());
                parameters.setTrustManagers(material.trustManagers());
                bus.getExtension(JettyHTTPServerEngineFactory.class)
                    .setTLSServerParametersForPort("127.0.0.1", port, parameters);
            }
            publish(bus, url, request, material);
        } finally {
            BusFactory.setThreadDefaultBus(null);
        }
        JsonObject answer = new JsonObject();
        answer.addProperty("url", url);
        answer.addProperty("wsdl", url + "?wsdl");
        return answer;
    }

    private static void publish(Bus bus, String url, Request request, KeyMaterial material) throws Exception {
        String location = request.has("wsdl") ? request.text("wsdl")
            : CxfServer.class.getResource("/echo.wsdl").toString();
        Wsdl wsdl = Wsdl.choose(bus, location, request.text("soap", "1.1"));
        List<Feature> features = new ArrayList<>();
        if (request.has("policy")) {
            features.add(Policies.feature(bus, request.path("policy")));
        }
        JaxWsServerFactoryBean factory = new JaxWsServerFactoryBean();
        factory.setBus(bus);
        factory.setServiceBean(new EchoService());
        factory.setWsdlLocation(location);
        factory.setServiceName(wsdl.service());
        factory.setEndpointName(wsdl.port());
        factory.setAddress(url);
        factory.setFeatures(features);
        factory.setProperties(properties(request, material));
        factory.create();
    }

    private static Map<String, Object> properties(Request request, KeyMaterial material) {
        Map<String, String> users = new HashMap<>();
        request.values("users").forEach((user, password) -> users.put(user, password.toString()));
        Map<String, Object> found = new HashMap<>();
        found.put(SecurityConstants.CALLBACK_HANDLER, new Secrets(new String(material.password()), users, Map.of()));
        found.put(SecurityConstants.SIGNATURE_CRYPTO, material.crypto());
        found.put(SecurityConstants.ENCRYPT_CRYPTO, material.crypto());
        if (material.alias() != null) {
            found.put(SecurityConstants.SIGNATURE_USERNAME, material.alias());
        }
        found.put(SecurityConstants.ENCRYPT_USERNAME, "useReqSigCert");
        Map<String, Object> bootstrap = new HashMap<>();
        found.forEach((name, value) -> bootstrap.put(name + ".sct", value));
        found.putAll(bootstrap);
        Map<String, Object> asked = new HashMap<>(request.values("properties"));
        SuiteDefaults.complete(asked);
        found.putAll(asked);
        return found;
    }

    private static int freePort() throws Exception {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }
}
