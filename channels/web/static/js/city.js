/**
 * Everything on the page that belongs to one city. Another city replaces this file.
 *
 * What is shown has one wording per language; `say` is what is sent, always in Chinese.
 */

/**
 * @typedef {Record<import("./i18n.js").Language, string>} Wordings
 * @typedef {{number: string, label: Wordings}} Hotline
 * @typedef {{say: string, shown: Wordings}} Sample
 * @typedef {{key: "service"|"report"|"policy", icon: string, title: Wordings, about: Wordings,
 *   opening: string, samples: Sample[]}} Job
 */

/**
 * @param {string} simplified
 * @param {string} traditional
 * @param {string} english
 * @returns {Wordings}
 */
const in3 = (simplified, traditional, english) =>
  ({ "zh-Hans": simplified, "zh-Hant": traditional, en: english });

/**
 * @param {string} say simplified Chinese
 * @param {string} traditional
 * @param {string} english
 * @returns {Sample}
 */
const sample = (say, traditional, english) => ({ say, shown: in3(say, traditional, english) });

/** @type {Readonly<{product: Wordings, title: Wordings, hotlines: Hotline[], jobs: Job[]}>} */
export const CITY = Object.freeze({
  product: in3("市民", "市民", "Shimin"),
  title: in3("云州市市民服务助手", "雲州市市民服務助手", "Citizen service of Yunzhou"),
  hotlines: [
    { number: "110", label: in3("报警", "報警", "Police") },
    { number: "119", label: in3("火警、救援", "火警、救援", "Fire and rescue") },
    { number: "120", label: in3("医疗急救", "醫療急救", "Ambulance") },
    { number: "12345", label: in3("政务服务便民热线", "政務服務便民熱線", "City hotline") },
    { number: "12369", label: in3("环保举报热线", "環保舉報熱線", "Pollution hotline") },
  ],
  jobs: [
    {
      key: "service",
      icon: "service",
      title: in3("办事咨询", "辦事諮詢", "Services"),
      about: in3("材料、地点、时间、费用", "材料、地點、時間、費用", "Documents, place, time, fee"),
      opening: "我想咨询怎么办事",
      samples: [
        sample("身份证丢了怎么补办？", "身份證丟了怎麼補辦？", "How do I replace a lost ID card?"),
        sample("社保卡在哪里办？", "社保卡在哪裏辦？", "Where do I get a social security card?"),
        sample("二手房过户要带什么材料？", "二手房過戶要帶什麼材料？",
          "What do I bring to transfer a flat?"),
      ],
    },
    {
      key: "report",
      icon: "camera",
      title: in3("随手拍", "隨手拍", "Report"),
      about: in3("油烟、噪声、垃圾、路灯", "油煙、噪聲、垃圾、路燈", "Fumes, noise, waste, lamps"),
      opening: "我要反映身边的问题",
      samples: [
        sample("楼下餐馆油烟太大了", "樓下餐館油煙太大了", "The restaurant below fills us with fumes"),
        sample("半夜工地还在施工，睡不着", "半夜工地還在施工，睡不着", "A building site is loud at midnight"),
        sample("查一下我上次反映的进展", "查一下我上次反映的進展", "How far is what I reported?"),
      ],
    },
    {
      key: "policy",
      icon: "policy",
      title: in3("找政策", "找政策", "Subsidies"),
      about: in3("补贴、津贴、减税、贷款", "補貼、津貼、減稅、貸款", "Allowances, tax, loans"),
      opening: "我想看看能享受哪些政策",
      samples: [
        sample("我妈82岁了，有什么补贴？", "我媽82歲了，有什麼補貼？",
          "My mother is 82. Is there an allowance?"),
        sample("小微企业能申请哪些扶持？", "小微企業能申請哪些扶持？",
          "What is there for small companies?"),
        sample("失业了能领什么补助？", "失業了能領什麼補助？", "What do I get when out of work?"),
      ],
    },
  ],
});
