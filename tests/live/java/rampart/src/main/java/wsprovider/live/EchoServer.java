package wsprovider.live;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.apache.axiom.om.OMElement;
import org.apache.axiom.om.util.AXIOMUtil;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.axis2.description.AxisOperation;
import org.apache.axis2.description.AxisService;
import org.apache.axis2.description.InOutAxisOperation;
import org.apache.axis2.description.Parameter;
import org.apache.axis2.engine.AxisConfiguration;
import org.apache.neethi.Policy;

/** The echo service under Rampart's server side: what the client is compared with while nothing else is there to answer it. */
final class EchoServer {
    private static final String SERVICE = "echo";
    private static final String KEY_ALIAS = "service";
    private static final int THREADS = 4;

    static {
        // Else the JDK's server waits for the client's delayed acknowledgement between the head and the body of each reply.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private EchoServer() {}

    /** Starts a server that lives as long as the process and returns its endpoint. */
    static String start(Axis2 axis2, ServerSpec spec) throws Exception {
        PasswordCallback.addUsers(spec.passwords());
        ConfigurationContext context = axis2.newContext();
        AxisConfiguration configuration = context.getAxisConfiguration();

        KeyMaterial keys = keys(spec);
        Properties crypto = keys.isEmpty() ? null : keys.merlin();
        AxisService service = service(spec, crypto);
        service.getPolicySubject().attachPolicy(policy(spec, crypto));
        configuration.addService(service);
        for (String module : new String[] {"addressing", "rampart", "rahas"}) {
            service.engageModule(configuration.getModule(module));
        }

        boolean secure = spec.tls() != null;
        HttpServer http = listen(spec, secure);
        http.setExecutor(Executors.newFixedThreadPool(THREADS));
        http.createContext("/", new Axis2Endpoint(context, secure ? "https" : "http"));
        http.start();
        return (secure ? "https" : "http") + "://localhost:" + http.getAddress().getPort() + "/axis2/services/" + SERVICE;
    }

    private static HttpServer listen(ServerSpec spec, boolean secure) throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), spec.port());
        if (!secure) {
            return HttpServer.create(address, 0);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(new KeyMaterial().key("tls", spec.tls(), spec.tlsPassword()).store(), KeyMaterial.PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        HttpsServer server = HttpsServer.create(address, 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        return server;
    }

    private static AxisService service(ServerSpec spec, Properties crypto) throws Exception {
        AxisService service = new AxisService(SERVICE);
        service.setTargetNamespace(Echo.NAMESPACE);
        AxisOperation operation = new InOutAxisOperation(Echo.OPERATION);
        operation.setMessageReceiver(new EchoReceiver());
        operation.setSoapAction(Echo.ACTION);
        service.addOperation(operation);
        service.mapActionToOperation(Echo.ACTION, operation);
        service.addParameter(tokenIssuer(spec, crypto));
        service.addParameter(parameter("token-canceler-config", "<proofToken>EncryptedKey</proofToken>"));
        return service;
    }

    /** What the issuer of security context tokens wants told; it asks for crypto properties although a binary secret needs none. */
    private static Parameter tokenIssuer(ServerSpec spec, Properties crypto) throws Exception {
        StringBuilder properties = new StringBuilder();
        if (crypto != null) {
            crypto.forEach((name, value) -> properties.append("<property name='").append(name).append("'>").append(value).append("</property>"));
        }
        return parameter("sct-issuer-config",
                "<cryptoProperties><crypto provider='org.apache.ws.security.components.crypto.Merlin'>" + properties + "</crypto></cryptoProperties>"
                        + "<addRequestedAttachedRef/><addRequestedUnattachedRef/><keyComputation>" + spec.keyOrigin() + "</keyComputation>"
                        + "<proofKeyType>BinarySecret</proofKeyType>");
    }

    /** A parameter as if read from a services.xml: the element of the same name inside it holds the settings. */
    private static Parameter parameter(String name, String settings) throws Exception {
        OMElement element = AXIOMUtil.stringToOM("<parameter name='" + name + "'><" + name + ">" + settings + "</" + name + "></parameter>");
        Parameter parameter = new Parameter(name, element);
        parameter.setParameterElement(element);
        return parameter;
    }

    private static KeyMaterial keys(ServerSpec spec) throws Exception {
        KeyMaterial keys = new KeyMaterial().key(KEY_ALIAS, spec.service(), spec.servicePassword());
        int number = 0;
        for (String pem : spec.trustedCertificates()) {
            keys.certificates("trusted-" + number++, pem);
        }
        return keys;
    }

    private static Policy policy(ServerSpec spec, Properties crypto) throws Exception {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("user", KEY_ALIAS);
        settings.put("encryptionUser", "useReqSigCert");
        settings.put("passwordCallbackClass", PasswordCallback.class.getName());
        if (spec.rampart() != null) {
            settings.putAll(spec.rampart());
        }
        Policy policy = new PolicyFile(spec.policy()).suite(spec.suite()).configuration(settings, crypto).parse();
        if (spec.digest()) {
            PolicyFile.hashPasswords(policy);
        }
        return policy;
    }
}
