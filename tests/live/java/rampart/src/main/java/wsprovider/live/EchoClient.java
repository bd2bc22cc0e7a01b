package wsprovider.live;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.axiom.om.OMElement;
import org.apache.axiom.om.util.AXIOMUtil;
import org.apache.axiom.soap.SOAP11Constants;
import org.apache.axiom.soap.SOAP12Constants;
import org.apache.axis2.Constants;
import org.apache.axis2.addressing.EndpointReference;
import org.apache.axis2.client.Options;
import org.apache.axis2.client.ServiceClient;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.axis2.transport.http.HTTPConstants;
import org.apache.neethi.Policy;
import org.apache.rampart.RampartMessageData;

/** One Rampart client: calls the service as often as asked, all in the same conversation if the policy asks for one. */
final class EchoClient {
    private static final String KEY_ALIAS = "client";
    private static final String SERVICE_ALIAS = "service";

    private final Axis2 axis2;
    private final CallSpec spec;

    EchoClient(Axis2 axis2, CallSpec spec) {
        this.axis2 = axis2;
        this.spec = spec;
    }

    Map<String, Object> run() throws Exception {
        ConfigurationContext context = axis2.newContext();
        try {
            if (spec.record() != null) {
                Recorder.install(context, spec.record());
            }
            return converse(new ServiceClient(context, null));
        } finally {
            context.terminate();
        }
    }

    private Map<String, Object> converse(ServiceClient client) throws Exception {
        client.setOptions(options());
        if (spec.addressing()) {
            client.engageModule("addressing");
        }
        client.engageModule("rampart");

        Map<String, Object> answer = new LinkedHashMap<>();
        List<String> texts = new ArrayList<>();
        List<Double> millis = new ArrayList<>();
        try {
            for (int round = 0; round < spec.rounds(); round++) {
                long start = System.nanoTime();
                OMElement reply = client.sendReceive(payload());
                texts.add(Echo.textOf(reply));
                millis.add(millisSince(start));
                answer.put("reply", reply.toString());
                client.cleanupTransport();
            }
            if (spec.cancel()) {
                answer.put("cancelReply", cancel(client));
            }
            answer.put("ok", true);
        } catch (Exception failure) {
            answer.putAll(Failures.answer(failure));
        } finally {
            client.cleanup();
        }
        answer.put("text", texts.isEmpty() ? null : texts.get(texts.size() - 1));
        answer.put("texts", texts);
        answer.put("millis", millis.stream().mapToDouble(Double::doubleValue).sum());
        answer.put("callMillis", millis);
        return answer;
    }

    /** Rampart turns the next message into a Cancel, whatever its body was. */
    private static String cancel(ServiceClient client) throws Exception {
        client.getOptions().setProperty(RampartMessageData.CANCEL_REQUEST, Constants.VALUE_TRUE);
        OMElement reply = client.sendReceive(Echo.request(""));
        return reply.toString();
    }

    private Options options() throws Exception {
        Options options = new Options();
        options.setTo(new EndpointReference(spec.url()));
        options.setAction(Echo.ACTION);
        options.setSoapVersionURI(spec.soap12() ? SOAP12Constants.SOAP_ENVELOPE_NAMESPACE_URI : SOAP11Constants.SOAP_ENVELOPE_NAMESPACE_URI);
        options.setTimeOutInMilliSeconds(spec.timeoutMillis());
        options.setUserName(spec.username());
        options.setPassword(spec.password());
        options.setProperty(RampartMessageData.KEY_RAMPART_POLICY, policy());
        if (spec.url().startsWith("https:")) {
            KeyMaterial trusted = new KeyMaterial().certificates("ca", spec.ca());
            options.setProperty(HTTPConstants.CUSTOM_PROTOCOL_HANDLER, TrustingSockets.https(trusted.store()));
        }
        return options;
    }

    private Policy policy() throws Exception {
        KeyMaterial keys = new KeyMaterial()
                .key(KEY_ALIAS, spec.client(), spec.clientPassword())
                .certificates(SERVICE_ALIAS, spec.serviceCert())
                .certificates("ca", spec.ca());
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("user", spec.username() == null ? KEY_ALIAS : spec.username());
        settings.put("userCertAlias", KEY_ALIAS);
        settings.put("encryptionUser", SERVICE_ALIAS);
        settings.put("passwordCallbackClass", PasswordCallback.class.getName());
        if (spec.rampart() != null) {
            settings.putAll(spec.rampart());
        }
        Policy policy = new PolicyFile(spec.policy())
                .suite(spec.suite())
                .configuration(settings, keys.isEmpty() ? null : keys.merlin())
                .parse();
        if (spec.digest()) {
            PolicyFile.hashPasswords(policy);
        }
        return policy;
    }

    private OMElement payload() throws Exception {
        return spec.payload() == null ? Echo.request(spec.text()) : AXIOMUtil.stringToOM(spec.payload());
    }

    private static double millisSince(long start) {
        return (System.nanoTime() - start) / 1e6;
    }
}
