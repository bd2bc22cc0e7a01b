package wsprovider.live;

import java.util.Collection;
import javax.wsdl.Definition;
import javax.wsdl.Port;
import javax.wsdl.Service;
import javax.wsdl.extensions.soap.SOAPBinding;
import javax.wsdl.extensions.soap12.SOAP12Binding;
import javax.xml.namespace.QName;
import org.apache.cxf.Bus;
import org.apache.cxf.wsdl.WSDLManager;

/** The service and port of a WSDL that speak a given SOAP version. */
record Wsdl(QName service, QName port) {

    static Wsdl choose(Bus bus, String location, String soap) throws Exception {
        Definition definition = bus.getExtension(WSDLManager.class).getDefinition(location);
        Class<?> wanted = "1.2".equals(soap) ? SOAP12Binding.class : SOAPBinding.class;
        for (Service service : elements(definition.getAllServices().values(), Service.class)) {
            for (Port port : elements(service.getPorts().values(), Port.class)) {
                for (Object extension : port.getBinding().getExtensibilityElements()) {
                    if (wanted.isInstance(extension)) {
                        QName name = service.getQName();
                        return new Wsdl(name, new QName(name.getNamespaceURI(), port.getName()));
                    }
                }
            }
        }
        throw new IllegalArgumentException("no port for SOAP " + soap + " in " + location);
    }

    private static <T> Collection<T> elements(Collection<?> values, Class<T> type) {
        return values.stream().map(type::cast).toList();
    }
}
