/** What brings a module, where the package's name on an index is not the module's own. */
const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  Crypto: "pycryptodome",
  MySQLdb: "mysqlclient",
  OpenSSL: "pyOpenSSL",
  PIL: "pillow",
  attr: "attrs",
  bs4: "beautifulsoup4",
  bson: "pymongo",
  caffe2: "torch",
  cv2: "opencv-python-headless",
  dateutil: "python-dateutil",
  dotenv: "python-dotenv",
  faiss: "faiss-cpu",
  fitz: "PyMuPDF",
  git: "GitPython",
  google: "protobuf",
  grpc: "grpcio",
  imblearn: "imbalanced-learn",
  jose: "python-jose",
  jwt: "PyJWT",
  kafka: "kafka-python",
  magic: "python-magic",
  pkg_resources: "setuptools<81",
  prometheus_client: "prometheus-client",
  pytorch_lightning: "pytorch-lightning",
  serial: "pyserial",
  skimage: "scikit-image",
  sklearn: "scikit-learn",
  tf_slim: "tf-slim",
  tf_keras: "tf-keras",
  torch_geometric: "torch-geometric",
  umap: "umap-learn",
  usb: "pyusb",
  win32api: "pywin32",
  yaml: "pyyaml",
  zmq: "pyzmq",
};

/** The package that brings a module, as `pip install` takes it. */
export function distributionOf(module: string): string {
  const [name = module] = module.split(".");
  return Object.hasOwn(DISTRIBUTIONS, name) ? (DISTRIBUTIONS[name] ?? name) : name;
}
