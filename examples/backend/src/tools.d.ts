/** The tools of the servers, in the form in which `longwire types` writes them. All have the same two here. */
interface Ask {
  arguments: { question: string };
  structured: { user: string; question: string };
}

interface Profile {
  arguments: object;
  structured: { user: string };
}

export interface Tools {
  files__ask: Ask;
  orders__ask: Ask;
  orders__profile: Profile;
  payroll__ask: Ask;
  prices__ask: Ask;
  stock__ask: Ask;
}
